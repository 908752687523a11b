import type { OutgoingPacket, WireCommand, WireConnection, WirePacket } from '../database/wire';
import type { BinlogPosition } from './binlog-position';

const COM_BINLOG_DUMP = 0x12;
const HEADER = 4;
const ERROR_MARKER = 0xff;
const END_MARKER = 0xfe;
/** A packet that says that the log ends is shorter than any event. */
const END_BYTES = 9;

export interface DumpListener {
  event(event: Buffer): void;
  failed(error: Error): void;
}

/** Asks for the log from a position on, and hands over every event that comes. */
export class DumpCommand implements WireCommand {
  private asked = false;

  constructor(
    private readonly from: BinlogPosition,
    private readonly serverId: number,
    private readonly listener: DumpListener,
  ) {}

  execute(packet: WirePacket | undefined, connection: WireConnection): boolean {
    if (packet === undefined || !this.asked) {
      this.asked = true;
      connection._resetSequenceId();
      connection.writePacket(dumpRequest(this.from, this.serverId));
      return false;
    }
    const { buffer, offset, end } = packet;
    const marker = buffer[offset];
    if (marker === ERROR_MARKER) {
      this.listener.failed(packet.asError('utf8'));
      return true;
    }
    if (marker === END_MARKER && end - offset < END_BYTES) {
      this.listener.failed(new Error('the server sends no more of it'));
      return true;
    }
    this.listener.event(buffer.subarray(offset + 1, end));
    return false;
  }

  /** The driver names a command in its own log. */
  stateName(): string {
    return 'dump';
  }
}

function dumpRequest({ file, offset }: BinlogPosition, serverId: number): OutgoingPacket {
  const name = Buffer.from(file);
  const body = Buffer.alloc(11);
  body[0] = COM_BINLOG_DUMP;
  body.writeUInt32LE(offset, 1);
  body.writeUInt32LE(serverId, 7);
  const buffer = Buffer.concat([Buffer.alloc(HEADER), body, name]);
  return {
    buffer,
    length: () => buffer.length,
    writeHeader(sequenceId) {
      buffer.writeUIntLE(buffer.length - HEADER, 0, 3);
      buffer[3] = sequenceId;
    },
  };
}
