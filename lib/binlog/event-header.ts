import { EventType } from './event-types';

/** Bytes of the header that every event begins with. */
export const HEADER_BYTES = 19;

/** The server made the event up for the reader; it stands in no file. */
const ARTIFICIAL_FLAG = 0x20;

export interface EventHeader {
  /** Seconds since 1970 on the server, when the statement began; 0 in events that the server made up. */
  readonly timestamp: number;
  readonly type: number;
  /** The whole event with its header and checksum, in bytes. */
  readonly size: number;
  /** Where the next event begins, modulo 2^32; 0 where it does not move the position. */
  readonly logPos: number;
  readonly flags: number;
}

export function readHeader(event: Buffer): EventHeader {
  return {
    timestamp: event.readUInt32LE(0),
    type: event[4] ?? 0,
    size: event.readUInt32LE(9),
    logPos: event.readUInt32LE(13),
    flags: event.readUInt16LE(17),
  };
}

/**
 * Whether the event stands in the file, so that the next one begins behind it. A heartbeat does not, though it says where the
 * reader is: modulo 2^32, which would lead back by 4 GiB.
 */
export function standsInFile({ type, logPos, flags }: EventHeader): boolean {
  if (type === EventType.heartbeat || type === EventType.heartbeatV2) return false;
  return logPos !== 0 && (flags & ARTIFICIAL_FLAG) === 0;
}
