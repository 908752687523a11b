import type { Socket } from 'node:net';

import type { Connection } from '../servers';
import { dial, type Link } from './connection-proxy';

/** Cuts a stream into packets of the protocol: three bytes of length, one of sequence, the payload. */
function onPackets(socket: Socket, take: (packet: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUIntLE(0, 3)) {
      const size = 4 + rest.readUIntLE(0, 3);
      take(rest.subarray(0, size));
      rest = rest.subarray(size);
    }
  });
}

/**
 * A multiplexer or a read/write splitter: every client has two connections, and `second` says which statements go to
 * the other one. Only for accounts without a password, whose login is the same on both.
 */
export function splitStatements(
  [first, other]: readonly [Connection, Connection],
  second: (sql: string, number: number) => boolean,
): Link {
  return (client) => {
    const servers = [dial(first), dial(other)] as const;
    let sent = -1;
    onPackets(client, (packet) => {
      sent += 1;
      if (sent === 0) {
        // The login.
        for (const server of servers) server.write(packet);
      } else {
        servers[second(packet.toString('latin1'), sent) ? 1 : 0].write(packet);
      }
    });
    servers[0].pipe(client, { end: false });
    let greeted = 0;
    // The second one's greeting and its answer to the login are not for the client.
    onPackets(servers[1], (packet) => {
      if (greeted++ >= 2) client.write(packet);
    });
    return servers;
  };
}

/** A pooler that greets with a connection id of its own, and leads everything to one connection of one server. */
export function renumber(server: Connection, number: number): Link {
  return (client) => {
    const socket = dial(server);
    client.pipe(socket);
    socket.once('data', (greeting: Buffer) => {
      // Header, protocol version, the server's version with a zero at its end, the id.
      greeting.writeUInt32LE(number, greeting.indexOf(0, 5) + 1);
      client.write(greeting);
      socket.pipe(client);
    });
    return [socket];
  };
}
