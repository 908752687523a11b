import { createTaking } from '../../database/create-taking';
import { errorNumber } from '../../database/server-error';
import type { Session } from '../../database/session';
import { Refusal } from '../../errors';
import type { RowKey } from '../../schema/key-column';
import type { TablePair } from '../../schema/table-pair';
import type { ChangeBatch, CopiedTo } from '../change-source';
import {
  countEntries,
  countEntriesLocking,
  createJournal,
  deleteEntries,
  insertEntries,
  insertMarker,
  pendingEntries,
  readJournal,
  readMarker,
} from './journal-table';

/** Keys of any length, so that they fit into a packet. */
const REQUEUE_AT_ONCE = 20;

const NO_SUCH_TABLE = 1146;

/**
 * The queue of keys to apply, whoever fills it: triggers in the transaction that changed the row, or the streamer in one
 * that the server commits after it. Either way an entry that is visible stands for a change that is visible.
 */
export class Journal {
  constructor(private readonly pair: TablePair) {}

  async create(session: Session): Promise<void> {
    const { pair } = this;
    await createTaking(session, { schema: pair.schema, table: pair.names.journal }, createJournal(pair));
    await session.execute(insertMarker(pair));
    await session.execute('COMMIT');
  }

  /** The oldest entries. */
  async read(session: Session, copiedTo: CopiedTo, limit: number): Promise<ChangeBatch> {
    const rows = await session.query(readJournal(this.pair, copiedTo, limit));
    const { originKeys } = this.pair.key;
    const keys = new Map<string, RowKey>();
    for (const row of rows) {
      // A key beyond the copy is dropped: a later chunk reads its row in a later snapshot.
      if (Number(row['hadron_inside']) !== 1) continue;
      const key = originKeys.read(row);
      keys.set(JSON.stringify(key), key);
    }
    return {
      entries: rows.length,
      keys: [...keys.values()],
      acknowledge: async (on) => {
        await on.execute(
          deleteEntries(
            this.pair,
            rows.map((row) => BigInt(String(row['hadron_seq']))),
          ),
        );
      },
    };
  }

  /** How many entries wait; exact up to `most`. */
  async backlog(session: Session, most: number): Promise<number> {
    const [row] = await session.query<{ entries: number }>(countEntries(this.pair, most));
    return Number(row?.entries);
  }

  async lockingBacklog(session: Session): Promise<number> {
    const [row] = await session.query<{ entries: number }>(countEntriesLocking(this.pair));
    return Number(row?.entries);
  }

  async requeue(session: Session, keys: readonly RowKey[]): Promise<void> {
    for (let from = 0; from < keys.length; from += REQUEUE_AT_ONCE) {
      await session.execute(insertEntries(this.pair, keys.slice(from, from + REQUEUE_AT_ONCE)));
    }
  }

  pendingKeys(): { table: string; condition: string } {
    return pendingEntries(this.pair);
  }

  /**
   * An entry that somebody removed would be a change that is missed.
   *
   * @param writer who writes to it, for people
   */
  async check(session: Session, writer: string): Promise<void> {
    const { names } = this.pair;
    let missing = '';
    try {
      const [first] = await session.query<{ marker: number | string }>(readMarker(this.pair));
      if (Number(first?.marker) !== 1) missing = 'emptied by somebody else, or in a crash of the server';
    } catch (error) {
      if (errorNumber(error) !== NO_SUCH_TABLE) throw error;
      missing = 'dropped or renamed by somebody else';
    }
    if (missing === '') return;
    throw new Refusal(
      'LHM_TRIGGERS_CHANGED',
      `The journal '${names.journal}', which ${writer} to, was ${missing}.`,
      'Changes may have been missed, so nothing was swapped. Keep others off that table, and run again.',
    );
  }
}
