import { AdvisoryLock } from '../database/advisory-lock';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import { ownerOf, type Owner } from '../state/state-table';

/** How often it is asked whether the lock is held, by somebody whose question is killed. */
const LOOKS = 3;

/**
 * Whose a migration is: ours for as long as a session of ours holds the lock of the table's migrations.
 *
 * Ghost, state table and triggers bear the same names in every run, and a DROP may wait for minutes. It must not be carried
 * out when another run has taken over, so it is sent on the very session that holds the lock: a server lets go of a
 * connection's named locks after its last statement has ended, also when it was killed while it waited for a table. So
 * whoever is granted the lock next finds each DROP of ours done or given up. (Were the lock another session's, that one could
 * die alone.)
 */
export class Ownership {
  private lock: AdvisoryLock | null = null;
  private unbroken = true;

  constructor(
    private readonly name: TableName,
    private readonly names: DerivedNames,
    private readonly epoch: string,
  ) {}

  /** @throws Refusal LHM_ALREADY_RUNNING when somebody else has the lock for longer than a moment */
  async acquire(session: Session): Promise<AdvisoryLock> {
    const { schema, table } = this.name;
    const lock = new AdvisoryLock(session, schema, table);
    await lock.acquire(`${schema}.${table}`);
    this.lock = lock;
    return lock;
  }

  /** Whether the lock was never let go of by the session that had it first, so that no other run can have been in between. */
  get isUnbroken(): boolean {
    return this.unbroken;
  }

  /** The session that holds the lock; null when none of ours does. */
  async holder(): Promise<Session | null> {
    const { lock } = this;
    return lock !== null && (await isHeld(lock)) ? lock.session : null;
  }

  /** Whose it is while this session lives. Where it is not another run's, the session holds the lock from then on. */
  async on(session: Session): Promise<Owner> {
    const whose = (): Promise<Owner> => this.byState(session);
    if (this.lock?.session !== session || !(await isHeld(this.lock))) {
      if ((await whose()) === 'others') return 'others';
      const lock = new AdvisoryLock(session, this.name.schema, this.name.table);
      // That of a connection which has just ended is free within a moment.
      if (!(await lock.tryAcquire(1))) return 'others';
      this.lock = lock;
      this.unbroken = false;
    }
    const owner = await whose();
    // The other run may be about to take it again, after it has lost its connection.
    if (owner === 'others') await this.lock.release();
    return owner;
  }

  /** Whose it is by the state table alone: a run that has the lock, but has not begun, has taken nothing over yet. */
  byState(session: Session): Promise<Owner> {
    return ownerOf(session, this.name.schema, this.names.state, this.epoch);
  }
}

/** One that cannot be asked is ended: what it may still hold would stand in the way of the one that comes next. */
async function isHeld(lock: AdvisoryLock): Promise<boolean> {
  for (let look = 1; look <= LOOKS && !lock.session.lost; look++) {
    try {
      await lock.check();
      return true;
    } catch (error) {
      if (error instanceof Refusal) return false;
    }
  }
  if (!lock.session.lost) await lock.session.close();
  return false;
}
