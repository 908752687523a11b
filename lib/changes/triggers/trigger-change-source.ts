import { Refusal } from '../../errors';
import { debugLog } from '../../events/debug-log';
import { withBoundedLock, type BoundedLock } from '../../database/metadata-locks';
import { errorNumber, LOCK_WAIT_TIMEOUT, messageOf } from '../../database/server-error';
import type { Session } from '../../database/session';
import { endedWhenSilent } from '../../database/silent-holder';
import { qualified } from '../../database/sql';
import { unlockTables } from '../../database/unlock-tables';
import { clock } from '../../util/clock';
import type { RowKey } from '../../schema/key-column';
import type { TriggerFacts } from '../../schema/table-schema';
import type { TablePair } from '../../schema/table-pair';
import type { ChangeBatch, ChangeSource, CopiedTo } from '../change-source';
import { Journal } from '../journal/journal';
import { refuseChangedTriggers, triggersOf } from '../own-triggers';
import { createProbe, createTrigger, touchProbe, triggerDefinitions, TRIGGER_SQL_MODE } from './trigger-ddl';
import type { TriggerTurn } from './trigger-turn';

const log = debugLog('changes');

/** Prepared XA transactions are in the way; they go away like any other holder of a lock. */
class InDoubtError extends Error {
  readonly errno = LOCK_WAIT_TIMEOUT;
  constructor(count: number) {
    super(`${count} prepared XA transactions wait for COMMIT or ROLLBACK (see XA RECOVER)`);
  }
}

/** How often the triggers' account is tried while no chunk does it, in ms. */
const PROBE_EVERY_MS = 1000;

/** Captures changes by three triggers that append keys to a journal table. */
export class TriggerChangeSource implements ChangeSource {
  readonly heartbeat = null;
  readonly blindTo = null;
  /** The triggers as the server describes them: MySQL mangles back-ticks in its description of a body. */
  private installed: readonly TriggerFacts[] = [];
  private probed = 0;
  private readonly journal: Journal;

  constructor(
    private readonly pair: TablePair,
    private readonly session: Session,
    private readonly definer: string | null,
    private readonly bound: BoundedLock,
    /** Whether prepared XA transactions may be there that hold no lock on the table. */
    private readonly lookForXa: boolean,
    private readonly turn: TriggerTurn,
  ) {
    this.journal = new Journal(pair);
  }

  async start(): Promise<void> {
    const { session, pair } = this;
    await this.journal.create(session);
    await this.turn.take();
    await this.watchDefiner().finally(() => this.turn.end());
    await this.installTriggers();
    log('triggers installed on %s', pair.origin.table);
  }

  /**
   * A definer that does not exist, or may not write the journal, makes every write of the application fail. So a trigger
   * of the same account stands on the state table, which every chunk writes to: it fails before the application's first
   * write, and with the first chunk after the account is gone.
   */
  private async watchDefiner(): Promise<void> {
    const { session, pair, definer } = this;
    try {
      await session.execute(createProbe(pair, definer));
      await session.execute(touchProbe(pair));
      await session.execute('COMMIT');
    } catch (cause) {
      if (definer === null || errorNumber(cause) === 0 || session.lost) throw cause;
      throw new Refusal(
        'LHM_BAD_DEFINER',
        `Triggers cannot run as ${definer}: ${messageOf(cause)}.`,
        'Name an account that exists and may INSERT and use triggers in the database (triggers.definer), or leave it out.',
        { cause },
      );
    }
    this.probed = clock.monotonic();
  }

  /**
   * All three under one lock: created one by one, a row inserted and then updated in between would be missed, and
   * a transaction that wrote before the first would still be open after the last.
   */
  private installTriggers(): Promise<void> {
    return endedWhenSilent(this.session, 0, () => this.installLocked());
  }

  private async installLocked(): Promise<void> {
    const { session, pair } = this;
    const origin = qualified(pair.schema, pair.origin.table);
    const journal = qualified(pair.schema, pair.names.journal);
    await withBoundedLock(session, this.bound, async () => {
      await this.turn.take();
      try {
        await session.execute(`LOCK TABLES ${origin} WRITE, ${journal} WRITE`);
        await this.refuseInDoubt();
      } catch (error) {
        await this.turn.end();
        throw error;
      }
    });
    const [{ own } = { own: '' }] = await session.query<{ own: string }>('SELECT @@SESSION.sql_mode AS own');
    try {
      await session.execute(`SET SESSION sql_mode = '${TRIGGER_SQL_MODE}'`);
      for (const trigger of triggerDefinitions(pair)) {
        await session.execute(createTrigger(pair, trigger, this.definer));
      }
      this.installed = await triggersOf(session, pair);
    } finally {
      if (!session.lost) {
        await unlockTables(session);
        await session.execute(`SET SESSION sql_mode = '${own}'`);
      }
      await this.turn.end();
    }
  }

  /**
   * A prepared XA transaction that MariaDB took over from before a restart holds its rows, but no longer the table: the
   * lock does not wait for it, and what it wrote before there were triggers would appear later without an entry.
   * (MySQL's keep the table locked.)
   *
   * @throws an error that counts as a lock wait timeout, with the lock released
   */
  private async refuseInDoubt(): Promise<void> {
    if (!this.lookForXa) return;
    const prepared = await this.session.query('XA RECOVER');
    if (prepared.length === 0) return;
    await unlockTables(this.session);
    throw new InDoubtError(prepared.length);
  }

  read(session: Session, copiedTo: CopiedTo, limit: number): Promise<ChangeBatch> {
    return this.journal.read(session, copiedTo, limit);
  }

  backlog(session: Session, most: number): Promise<number> {
    return this.journal.backlog(session, most);
  }

  lockingBacklog(session: Session): Promise<number> {
    return this.journal.lockingBacklog(session);
  }

  lateChanges(session: Session): Promise<number> {
    return this.journal.lockingBacklog(session);
  }

  requeue(session: Session, keys: readonly RowKey[]): Promise<void> {
    return this.journal.requeue(session, keys);
  }

  pendingKeys(): { table: string; condition: string } {
    return this.journal.pendingKeys();
  }

  /** A trigger's entry is committed with the change it stands for: all of them are there. */
  gather(): Promise<boolean> {
    return Promise.resolve(false);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Under LOCK TABLES the server would refuse it (1442): the journal counts as being in use by the statement itself. */
  async probe(session: Session): Promise<void> {
    if (clock.monotonic() - this.probed <= PROBE_EVERY_MS) return;
    await session.execute(touchProbe(this.pair));
    this.probed = clock.monotonic();
  }

  async check(session: Session): Promise<void> {
    await refuseChangedTriggers(session, this.pair, this.installed, 'Changes may have been missed');
    await this.journal.check(session, 'the triggers write');
  }
}
