import { HEADER_BYTES } from './event-header';

/** `uuid:number`, as MySQL writes it. */
export function mysqlGtid(event: Buffer): string {
  const uuid = event.toString('hex', HEADER_BYTES + 1, HEADER_BYTES + 17);
  const parts = [uuid.slice(0, 8), uuid.slice(8, 12), uuid.slice(12, 16), uuid.slice(16, 20), uuid.slice(20)];
  return `${parts.join('-')}:${event.readBigInt64LE(HEADER_BYTES + 17)}`;
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
