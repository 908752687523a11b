import type { Session } from './session';

/** A packet from the server: `buffer[offset]` up to `end`. The driver uses the object again, but never the bytes. */
export interface WirePacket {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  /** What an error packet says. */
  asError(encoding: string): Error;
}

/** What the driver asks of a packet that it sends. Four bytes are left free for the header. */
export interface OutgoingPacket {
  readonly buffer: Buffer;
  length(): number;
  writeHeader(sequenceId: number): void;
}

/** A command of the protocol. */
export interface WireCommand {
  /** Called without a packet to begin with, then for every packet that comes. True ends the command. */
  execute(packet: WirePacket | undefined, connection: WireConnection): boolean;
}

interface Socket {
  readonly bytesRead?: number;
  destroy(): void;
  resetAndDestroy?(): void;
}

/** The driver's connection, as far as a command of one's own needs it. */
export interface WireConnection {
  readonly stream: Socket;
  addCommand(command: WireCommand): void;
  _resetSequenceId(): void;
  writePacket(packet: OutgoingPacket): void;
  pause(): void;
  resume(): void;
  destroy(): void;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
}

/** A connection of which the caller speaks the protocol himself. */
export interface Wire {
  /** For statements, before the connection is taken over. */
  readonly session: Session;
  readonly connection: WireConnection;
  /** Ends the connection at once, without a word to the server. May be called again. */
  cut(): void;
}

export function wire(session: Session, connection: WireConnection, onCut: (wire: Wire) => void): Wire {
  let isCut = false;
  const made: Wire = {
    session,
    connection,
    cut() {
      if (isCut) return;
      isCut = true;
      cutSocket(connection.stream);
      // Tells the driver that the end is not an error. Before, it would begin an orderly end, after which there is no reset.
      connection.destroy();
      onCut(made);
    },
  };
  return made;
}

/** By a reset where there can be one: a server that only writes would not notice an orderly end at its next write. */
function cutSocket(socket: Socket): void {
  try {
    socket.resetAndDestroy?.();
  } catch {
    // TLS, and sockets of the file system.
  }
  socket.destroy();
}
