import { randomUUID } from 'node:crypto';
import { AdvisoryLock } from '../database/advisory-lock';
import type { Database } from '../database/database';
import { liveLock } from '../database/metadata-locks';
import { messageOf } from '../database/server-error';
import { id } from '../database/sql';
import type { Session } from '../database/session';
import { NameTaken, type Leftover } from '../errors';
import { debugLog } from '../events/debug-log';
import type { GhostTrial } from '../plan/build-plan';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import { showCreateTable } from '../schema/read-table-schema';
import { ownerOf, StateTable } from '../state/state-table';
import { clock } from '../util/clock';
import { Cleaner } from './cleaner';
import { possibleLeftovers } from './possible-leftovers';

const log = debugLog('plan');

/**
 * Tries a change on a ghost that is really there for a moment. A state table names it first, so that the next run or a
 * clean-up removes both if the process dies. The origin is only read, and by statements of their own.
 */
export class RealGhostTrial implements GhostTrial {
  private readonly epoch = randomUUID();
  /** What could not be removed. */
  leftovers: readonly Leftover[] = [];

  constructor(
    private readonly database: Database,
    private readonly name: TableName,
    private readonly names: DerivedNames,
    private readonly giveUpAfterMs: number,
  ) {}

  async around<T>(session: Session, make: () => Promise<T>): Promise<{ made: T; definition: string }> {
    const { name, names } = this;
    const { schema, table } = name;
    const lock = new AdvisoryLock(session, schema, table);
    await lock.acquire(`${schema}.${table}`);
    let made: { made: T; definition: string };
    try {
      await new StateTable(schema, table, names, this.epoch).create(session, new Date(clock.now()));
      const result = await make();
      const created = await showCreateTable(session, { schema, table: names.ghost });
      made = { made: result, definition: created.replace(id(names.ghost), () => id(table)) };
    } catch (error) {
      const foreign = error instanceof NameTaken ? error.taken : null;
      if (foreign !== names.state) await this.remove(session, foreign).catch(() => undefined);
      throw error;
    }
    await this.remove(session, null);
    await lock.release();
    return made;
  }

  /** On another session where the first is, or gets, lost. */
  private async remove(session: Session, foreign: string | null): Promise<void> {
    this.leftovers = possibleLeftovers(this.name.schema, this.names, 'rolled-back');
    try {
      await this.removeOn(session.lost ? await this.reopened() : session, foreign);
    } catch (error) {
      log('the ghost could not be removed: %s', messageOf(error));
      if (!session.lost) throw error;
      await this.removeOn(await this.reopened(), foreign);
    }
  }

  private async removeOn(session: Session, foreign: string | null): Promise<void> {
    const { database, name, names, epoch } = this;
    // A run that began after the lock was lost removes what it found by itself.
    if ((await ownerOf(session, name.schema, names.state, epoch)) !== 'others') {
      const bound = liveLock(this.giveUpAfterMs);
      const cleaner = new Cleaner(name.schema, name.table, names, bound, { foreign, captures: false });
      await database.restore(session);
      try {
        await cleaner.removeAll(session);
      } catch (error) {
        if (!session.lost) this.leftovers = await cleaner.leftovers(session);
        throw error;
      }
    }
    this.leftovers = [];
  }

  /** A statement of the lost connection's may still be running. */
  private async reopened(): Promise<Session> {
    const session = await this.database.open('cleaner');
    await this.database.endLost(session);
    await new AdvisoryLock(session, this.name.schema, this.name.table).acquire(this.name.table);
    return session;
  }
}
