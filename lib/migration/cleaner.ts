import type { Session } from '../database/session';
import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import { qualified } from '../database/sql';
import { isLockTimeout, messageOf } from '../database/server-error';
import { wholeRead } from '../database/whole-read';
import { unlockTables } from '../database/unlock-tables';
import type { Leftover } from '../errors';
import { SENTRY_COMMENT } from '../cut-over/sentry-table';
import { debugLog } from '../events/debug-log';
import type { DerivedNames } from '../schema/derived-names';
import { readTableTypes } from '../schema/read-table-schema';
import type { Owner } from '../state/state-table';

const log = debugLog('migration');

export interface CleanerScope {
  /** A name of ours that somebody else's table bears. */
  readonly foreign?: string | null;
  /** Whether the run got as far as to create triggers. Default: true. */
  readonly captures?: boolean;
}

interface OwnTrigger {
  readonly name: string;
  /** The one that it is on. */
  readonly table: string;
}

/**
 * Removes what a migration created: triggers first, then the journal they write to, or every write of the
 * application would fail. Safe to repeat; every lock it takes is bounded.
 */
export class Cleaner {
  constructor(
    private readonly schema: string,
    /** The migrated table. */
    private readonly origin: string,
    private readonly names: DerivedNames,
    private readonly bound: BoundedLock,
    private readonly scope: CleanerScope = {},
  ) {}

  /**
   * Removes everything, the ghost included: for a migration that did not reach the swap. On the session that holds the
   * lock of the table's migrations, because some of these names are the same in every run.
   */
  async removeAll(session: Session): Promise<void> {
    await this.remove(session, await this.everything(session));
  }

  /**
   * Removes what bears this run's own timestamp, and triggers that write to it: for a run that has lost its ownership. What
   * else has a name without one may be its successor's by now.
   */
  async removeTimestamped(session: Session): Promise<void> {
    for (const table of new Set((await this.boundedTriggers(session)).map((trigger) => trigger.table)))
      await this.dropLocked(session, table);
    await this.dropTables(session, await this.timestamped(session));
  }

  /** Removes the helpers after the swap; the old table stays. */
  async removeHelpers(session: Session): Promise<void> {
    await this.remove(session, [
      this.names.journal,
      this.names.changelog,
      this.names.recheck,
      this.names.state,
    ]);
  }

  /** What is still there, with the statement that removes each; of another run's, nothing. */
  async leftovers(session: Session, owner: Owner = 'ours'): Promise<Leftover[]> {
    const names = owner === 'others' ? await this.timestamped(session) : await this.everything(session);
    const tables = await readTableTypes(session, this.schema, names);
    const triggers = (await this.boundedTriggers(session)).map(({ name }) => ({
      kind: 'trigger' as const,
      name: `${this.schema}.${name}`,
      sql: `DROP TRIGGER ${qualified(this.schema, name)}`,
    }));
    return [
      ...triggers,
      ...[...tables.keys()].map((name) => ({
        kind: 'table' as const,
        name: `${this.schema}.${name}`,
        sql: `DROP TABLE ${qualified(this.schema, name)}`,
      })),
    ];
  }

  private async remove(session: Session, tables: readonly string[]): Promise<void> {
    // One that was overlooked would make every write of the application fail, once its journal is gone.
    const triggers = await this.boundedTriggers(session);
    for (const { name } of triggers)
      await withBoundedLock(session, this.bound, () => this.dropTrigger(session, name));
    for (const table of new Set(triggers.map((trigger) => trigger.table)))
      await withBoundedLock(session, this.bound, () => this.refuseStanding(session, table));
    await this.dropTables(session, tables);
  }

  /**
   * Drops those of one table while nobody else can create any on it: a DROP that waits might meet the ones that the
   * successor has made under the same names. The lock goes with the session.
   */
  private async dropLocked(session: Session, table: string): Promise<void> {
    await withBoundedLock(session, this.bound, async () => {
      await session.execute(`LOCK TABLES ${qualified(this.schema, table)} WRITE`);
      try {
        for (const { name } of await this.triggers(session, table)) await this.dropTrigger(session, name);
        await this.refuseStanding(session, table);
      } finally {
        await unlockTables(session);
      }
    });
  }

  private async dropTrigger(session: Session, name: string): Promise<void> {
    await session.execute(`DROP TRIGGER IF EXISTS ${qualified(this.schema, name)}`);
  }

  /**
   * MariaDB says that it has dropped a trigger whose file it has lost, as when connections are killed during a RENAME, and goes
   * on firing it: what it writes to must stay.
   *
   * @throws Error when one stands after it was dropped
   */
  private async refuseStanding(session: Session, table: string): Promise<void> {
    const [standing] = await this.triggers(session, table);
    if (standing === undefined) return;
    const [on, aside] = [qualified(this.schema, table), qualified(this.schema, this.names.scratch)];
    throw new Error(
      `the server has dropped the trigger '${standing.name}' of '${table}' and goes on firing it, so its journal is kept. RENAME TABLE ${on} TO ${aside}, ${aside} TO ${on} makes it known again; then run largeHadronCleanUp`,
    );
  }

  private async dropTables(session: Session, tables: readonly string[]): Promise<void> {
    for (const table of tables) {
      await withBoundedLock(session, this.bound, () =>
        session.execute(`DROP TABLE IF EXISTS ${qualified(this.schema, table)}`),
      );
    }
    log('removed the triggers and %s', tables.join(', '));
  }

  /** The tables that a run creates, the old one apart, in the order in which they may go. */
  private async everything(session: Session): Promise<string[]> {
    const { journal, changelog, recheck, tested, ghost, state } = this.names;
    // The sentry after the ghost: a RENAME that still waits must never find the one gone and the other there.
    const tables = [journal, changelog, recheck, tested, ghost, ...(await this.sentry(session)), state];
    return tables.filter((name) => name !== this.scope.foreign);
  }

  private async timestamped(session: Session): Promise<string[]> {
    const { journal, changelog, recheck } = this.names;
    return [journal, changelog, recheck, ...(await this.sentry(session))];
  }

  /** The old table's name while the sentry bears it. */
  private async sentry(session: Session): Promise<string[]> {
    const { old } = this.names;
    const found = (await readTableTypes(session, this.schema, [old])).get(old);
    return found?.comment === SENTRY_COMMENT ? [old] : [];
  }

  /**
   * Those that write to this run's journal: their names alone are the same in every run.
   *
   * @param table looks at that one alone; no other is opened then
   */
  private async triggers(session: Session, table?: string): Promise<OwnTrigger[]> {
    if (this.scope.captures === false) return [];
    const { triggers, gates, journal } = this.names;
    return wholeRead<OwnTrigger>(
      session,
      `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS \`table\` FROM information_schema.TRIGGERS
        WHERE EVENT_OBJECT_SCHEMA = ? AND TRIGGER_NAME IN (?) AND INSTR(ACTION_STATEMENT, ?) > 0
          ${table === undefined ? '' : 'AND EVENT_OBJECT_TABLE = ?'}`,
      [
        this.schema,
        [...Object.values(triggers), ...Object.values(gates)],
        journal.slice(journal.lastIndexOf('_lhmj_')),
        ...(table === undefined ? [] : [table]),
      ],
      // Others may be migrated at the same time, and theirs are on none of these.
      [this.origin, this.names.ghost, this.names.old],
    );
  }

  private boundedTriggers(session: Session): Promise<OwnTrigger[]> {
    return withBoundedLock(session, this.bound, () => this.triggers(session));
  }
}

/**
 * Tries to clean up and says what is left; a failure to clean is no reason to hide the error that led here.
 *
 * `again`: the failure may have been a passing one. A lock that was not granted has been asked for often enough.
 */
export async function cleanQuietly(
  cleaner: Cleaner,
  session: Session,
): Promise<{ leftovers: Leftover[]; again: boolean }> {
  let again = false;
  try {
    await cleaner.removeAll(session);
  } catch (error) {
    log('clean-up failed: %s', messageOf(error));
    again = !isLockTimeout(error);
  }
  return { leftovers: await cleaner.leftovers(session), again };
}
