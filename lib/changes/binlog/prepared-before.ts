import { xidText } from '../../binlog/xid';
import type { Session } from '../../database/session';

interface Recovered {
  readonly formatID: number | string;
  readonly gtrid_length: number | string;
  readonly bqual_length: number | string;
  /** `0x` and both parts in hexadecimal. */
  readonly data: string | Buffer;
}

/** XA transactions that are prepared now, as the log calls them. */
export async function preparedNow(session: Session): Promise<Set<string>> {
  const rows = await session.query<Recovered>('XA RECOVER');
  return new Set(
    rows.map(({ formatID, gtrid_length, bqual_length, data }) => {
      const bytes = Buffer.isBuffer(data) ? data : Buffer.from(data, 'latin1');
      const gtrid = Number(gtrid_length);
      return xidText(
        bytes.subarray(0, gtrid),
        bytes.subarray(gtrid, gtrid + Number(bqual_length)),
        Number(formatID),
      );
    }),
  );
}

/**
 * XA transactions that were prepared before the log was read, so that nobody knows what they changed. Where they hold the
 * table the lock of the cut-over waits for them; MariaDB lets go of the table when it is started anew, and what is committed
 * after the swap would be in the old table only.
 */
export class PreparedBefore {
  private readonly unknown = new Set<string>();

  /** @param isKnown whether the log told that it was prepared */
  async remember(session: Session, isKnown: (xid: string) => boolean): Promise<void> {
    for (const xid of await preparedNow(session)) if (!isKnown(xid)) this.unknown.add(xid);
  }

  /** How many of them are prepared still. */
  async left(session: Session): Promise<number> {
    if (this.unknown.size === 0) return 0;
    const now = await preparedNow(session);
    for (const xid of this.unknown) if (!now.has(xid)) this.unknown.delete(xid);
    return this.unknown.size;
  }
}
