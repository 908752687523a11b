import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

import type { Connection } from '../servers';

/** What stands between a client and the servers for one connection. */
export type Link = (client: Socket, number: number) => readonly Socket[];

/** Listens on a port of its own and links each connection, the first being number 0, with servers. */
export class ConnectionProxy {
  /** By the connection's number. */
  private readonly linked: (readonly Socket[])[] = [];

  private constructor(private readonly listener: Server) {}

  static async start(link: Link): Promise<ConnectionProxy> {
    const listener = createServer();
    const proxy = new ConnectionProxy(listener);
    listener.on('connection', (client) => {
      const sockets = [client, ...link(client, proxy.linked.length)];
      proxy.linked.push(sockets);
      // One end that goes takes the others with it, as when a proxy is cut off.
      for (const socket of sockets) {
        socket.setNoDelay(true);
        socket.on('error', () => undefined);
        socket.on('close', () => sockets.forEach((other) => other.destroy()));
      }
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return proxy;
  }

  get address(): { readonly host: string; readonly port: number } {
    return { host: '127.0.0.1', port: (this.listener.address() as AddressInfo).port };
  }

  /** How many connections have been made. */
  get count(): number {
    return this.linked.length;
  }

  /** Cuts the connection of this number, or all of them. */
  cut(number?: number): void {
    const which = number === undefined ? this.linked : [this.linked[number] ?? []];
    for (const socket of which.flat()) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.listener.close(resolve));
  }
}

export function dial({ host, port }: Connection): Socket {
  return connect({ host, port });
}

/** A balancer: `choose` says which server a connection gets. */
export function balance(choose: (number: number) => Connection): Link {
  return (client, number) => {
    const server = dial(choose(number));
    client.pipe(server).pipe(client);
    return [server];
  };
}
