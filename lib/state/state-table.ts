import { Refusal } from '../errors';
import { createTaking } from '../database/create-taking';
import type { Session } from '../database/session';
import { errorNumber } from '../database/server-error';
import { qualified, text } from '../database/sql';
import type { DerivedNames } from '../schema/derived-names';

/** What a migration writes down about itself, for whoever finds its tables later. */
export interface MigrationRecord {
  readonly version: 1;
  readonly names: DerivedNames;
  readonly startedAt: string;
  /** What the steps of the cut-over wrote down before they changed anything, by their names. */
  readonly steps?: Readonly<Record<string, unknown>>;
}

/** What the comment of every state table begins with: it tells one from anybody else's table of that name. */
export const STATE_COMMENT = 'large-hadron-migrate state of ';

/** The migrated table, out of the comment of its state table; null for a table that is no state table. */
export function tableOfState(comment: string): string | null {
  return comment.startsWith(STATE_COMMENT) ? comment.slice(STATE_COMMENT.length) : null;
}

/**
 * One row that belongs to the migration of a table: who owns it (the epoch), what it created, how far it is.
 *
 * An advisory lock can be lost unnoticed while a statement of its old owner still runs. Every transaction that
 * applies something therefore reads the epoch with a shared lock, and a new owner raises it.
 */
export class StateTable {
  constructor(
    private readonly schema: string,
    private readonly origin: string,
    private readonly names: DerivedNames,
    private readonly epoch: string,
  ) {}

  async create(session: Session, startedAt: Date): Promise<void> {
    const record: MigrationRecord = { version: 1, names: this.names, startedAt: startedAt.toISOString() };
    await createTaking(
      session,
      { schema: this.schema, table: this.names.state },
      `CREATE TABLE ${this.table} (id TINYINT NOT NULL PRIMARY KEY, epoch VARCHAR(64) NOT NULL,` +
        ` record MEDIUMTEXT NOT NULL, copied_to TEXT NULL)` +
        ` ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT = '${inComment(STATE_COMMENT + this.origin)}'`,
    );
    await session.execute(
      `INSERT INTO ${this.table} (id, epoch, record) VALUES (1, ${text(this.epoch)}, ${text(JSON.stringify(record))})`,
    );
    await session.execute('COMMIT');
  }

  /** @throws Refusal LHM_OWNERSHIP_LOST */
  async check(session: Session): Promise<void> {
    const [row] = await session.query<{ epoch: string }>(
      `SELECT epoch FROM ${this.table} WHERE id = 1 LOCK IN SHARE MODE`,
    );
    if (row?.epoch !== this.epoch) throw ownershipLost();
  }

  /** Written in the transaction that copied the chunk, so that the two are never apart. */
  async copiedTo(session: Session, position: string): Promise<void> {
    await session.execute(`UPDATE ${this.table} SET copied_to = ${text(position)} WHERE id = 1`);
  }

  /** What was last written by `copiedTo`; null when no chunk was copied yet. */
  async readCopiedTo(session: Session): Promise<string | null> {
    const [row] = await session.query<{ copied_to: string | null }>(
      `SELECT copied_to FROM ${this.table} WHERE id = 1`,
    );
    return row?.copied_to ?? null;
  }

  /** Writes down what a step of the cut-over is about to change, for whoever finds the tables after a crash. */
  async note(session: Session, step: string, note: unknown): Promise<void> {
    const [row] = await session.query<{ epoch: string; record: string; copied_to: string | null }>(
      `SELECT epoch, record, copied_to FROM ${this.table} WHERE id = 1 FOR UPDATE`,
    );
    if (row?.epoch !== this.epoch) throw ownershipLost();
    const record = JSON.parse(row.record) as MigrationRecord;
    const noted: MigrationRecord = { ...record, steps: { ...record.steps, [step]: note } };
    const copiedTo = row.copied_to === null ? 'NULL' : text(row.copied_to);
    // Not by UPDATE, whose trigger the server may refuse to run while tables are locked.
    await session.execute(
      `REPLACE INTO ${this.table} (id, epoch, record, copied_to)` +
        ` VALUES (1, ${text(this.epoch)}, ${text(JSON.stringify(noted))}, ${copiedTo})`,
    );
    await session.execute('COMMIT');
  }

  get table(): string {
    return qualified(this.schema, this.names.state);
  }
}

function ownershipLost(): Refusal {
  return new Refusal(
    'LHM_OWNERSHIP_LOST',
    'Another run took this migration over.',
    'Let that one finish; this one has stopped.',
  );
}

/** A comment takes nothing but a plain string; backslashes escape on the library's own sessions. */
function inComment(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll("'", "''");
}

/** Raises the epoch of a dead run's row, so that nothing of it can still write, and returns what it wrote down. */
export async function takeOver(
  session: Session,
  schema: string,
  stateTable: string,
  epoch: string,
): Promise<MigrationRecord | null> {
  const table = qualified(schema, stateTable);
  // Not by UPDATE, which would fail where the account of the dead run's triggers is gone.
  await session.execute(
    `REPLACE INTO ${table} (id, epoch, record, copied_to) SELECT id, ${text(epoch)}, record, copied_to FROM ${table} WHERE id = 1`,
  );
  await session.execute('COMMIT');
  return readRecord(session, schema, stateTable);
}

export type Owner = 'ours' | 'others' | 'gone';

/**
 * Whose the state table is now. A run that was broken off before it wrote its row owns what it had created, which is
 * that table alone.
 */
export async function ownerOf(
  session: Session,
  schema: string,
  stateTable: string,
  epoch: string,
): Promise<Owner> {
  try {
    const [row] = await session.query<{ epoch: string }>(
      `SELECT epoch FROM ${qualified(schema, stateTable)} WHERE id = 1`,
    );
    return row === undefined || row.epoch === epoch ? 'ours' : 'others';
  } catch (error) {
    if ([NO_SUCH_TABLE, NO_SUCH_DATABASE].includes(errorNumber(error))) return 'gone';
    throw error;
  }
}

const NO_SUCH_TABLE = 1146;
const NO_SUCH_DATABASE = 1049;

/** What a run wrote down about itself; null when it was killed before it did. */
export async function readRecord(
  session: Session,
  schema: string,
  stateTable: string,
): Promise<MigrationRecord | null> {
  const [row] = await session.query<{ record: string }>(
    `SELECT record FROM ${qualified(schema, stateTable)} WHERE id = 1`,
  );
  return row === undefined ? null : (JSON.parse(row.record) as MigrationRecord);
}
