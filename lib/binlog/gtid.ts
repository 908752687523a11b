import { HEADER_BYTES } from './event-header';
import { uuidText } from './values/fixed-binary';

/** `uuid:number`, as MySQL writes it. */
export function mysqlGtid(event: Buffer): string {
  const uuid = event.toString('hex', HEADER_BYTES + 1, HEADER_BYTES + 17);
  return `${uuidText(uuid)}:${event.readBigInt64LE(HEADER_BYTES + 17)}`;
}

/** The event group is one statement, without a commit behind it. */
const STANDALONE = 1;

export interface MariadbGtid {
  /** `domain-server-number` */
  readonly gtid: string;
  readonly standalone: boolean;
}

export function mariadbGtid(event: Buffer): MariadbGtid {
  const server = event.readUInt32LE(5);
  const sequence = event.readBigUInt64LE(HEADER_BYTES);
  const domain = event.readUInt32LE(HEADER_BYTES + 8);
  const flags = event[HEADER_BYTES + 12] ?? 0;
  return { gtid: `${domain}-${server}-${sequence}`, standalone: (flags & STANDALONE) !== 0 };
}
