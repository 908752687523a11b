import { Refusal } from '../errors';
import type { Walk } from '../chunk/chunker';
import { keyListCondition } from '../chunk/key-range';
import type { ChangeSource } from '../changes/change-source';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { hasReplicatedWrites } from '../database/process-list';
import { LOCK_WAIT_SECONDS } from '../database/session-settings';
import { refuseReadOnly, type ReadOnlySwitch } from '../database/read-only';
import { errorNumber, isLockTimeout } from '../database/server-error';
import type { TableName } from '../schema/identifier';
import type { RowKey } from '../schema/key-column';
import { readTableTypes, readTriggers, showCreateTable } from '../schema/read-table-schema';
import type { TablePair } from '../schema/table-pair';
import { addKey, dropKey } from '../schema/foreign-key';
import { autoIncrementOf, definitionText } from '../schema/table-schema';
import { clock } from '../util/clock';
import type { ChildGuard } from './child-guard';
import { NoDate, readCreated, readTableId, withoutVersions, type TableIdReader } from './table-id';

/** No such table, no such database. */
const GONE = new Set([1146, 1049]);

/** Attempts at reading the table's id before the copy, each as long as any wait for a lock. */
const FIRST_ATTEMPTS = 12;

/** How long it may take to read the table's id, in seconds. */
const LOOK_SECONDS = 1;

/** How often the table's id is read between two chunks, in ms; never for more than a fiftieth of the time. */
const ID_EVERY_MS = 2000;

/** What may happen where the migration runs. */
export interface Place {
  readonly readOnly: ReadOnlySwitch;
  /** Whether changes of another server are foreseen. */
  readonly onReplica: boolean;
  /** Whether changes are captured by triggers. */
  readonly byTriggers: boolean;
}

/**
 * Notices what no trigger sees: an ALTER, TRUNCATE, DROP or RENAME of the origin by somebody else, and triggers
 * that were dropped or replaced. It holds nothing on the table, because a TRUNCATE queued behind a guard's own
 * transaction would stall every query.
 */
export class OriginGuard {
  private counter: bigint | null = null;
  private tableId: string | null = null;
  private ghostId: string | null = null;
  private created: string | null = null;
  private lookAgainAt = 0;
  private hadRows = false;

  constructor(
    private readonly pair: TablePair,
    private readonly source: ChangeSource,
    private readonly reader: TableIdReader,
    private readonly children: ChildGuard,
    private readonly place: Place,
  ) {}

  /** Remembers the table as it is now. */
  async remember(session: Session): Promise<void> {
    this.tableId = await this.readFirstId(session);
    this.ghostId = await this.readGhostId(session);
    // Elsewhere the id tells more, and is not changed by an ALTER of the counter alone.
    if (this.tableId === null || this.reader.server.flavor === 'mariadb')
      this.created = await readCreated(session, this.reader.name);
    await this.checkChildren(session, true);
    await this.check(session);
  }

  /** Nothing can be compared with an id that was not read: it is waited for. */
  private async readFirstId(session: Session): Promise<string | null> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await readTableId(session, this.reader);
      } catch (error) {
        if (!isLockTimeout(error) || attempt >= FIRST_ATTEMPTS) throw error;
      }
    }
  }

  /** @throws Refusal LHM_ORIGIN_CHANGED or LHM_TRIGGERS_CHANGED */
  async check(session: Session): Promise<void> {
    await refuseReadOnly(session, this.place.readOnly);
    await this.checkDefinition(session);
    await this.checkChildren(session, false);
    const started = clock.monotonic();
    if (started >= this.lookAgainAt) {
      await this.lookIdentity(session);
      const took = clock.monotonic() - started;
      this.lookAgainAt = started + Math.max(ID_EVERY_MS, 50 * took);
    }
    await this.source.probe(session);
  }

  /** @throws Refusal LHM_ORIGIN_CHANGED when a key that leads to the table was made, dropped or changed */
  async checkChildren(session: Session, now = true): Promise<void> {
    const change = await this.children.changed(session, now);
    if (change !== null) throw changed(this.pair, change);
  }

  /**
   * After changes of our own to the table were taken back, while nobody else could make any: on MariaDB its date is that of
   * its file, which a RENAME there and back changes, too.
   */
  async acceptAlter(session: Session): Promise<void> {
    this.created = await readCreated(session, this.reader.name);
  }

  /**
   * The same as far as it can be seen now: not while DDL waits for any table of the server, which may be for long.
   *
   * @returns whether it was seen
   */
  async lookIdentity(session: Session): Promise<boolean> {
    await session.execute(`SET SESSION lock_wait_timeout = ${LOOK_SECONDS}`);
    try {
      await this.checkIdentity(session);
      return true;
    } catch (error) {
      if (isLockTimeout(error)) return false;
      throw error;
    } finally {
      if (!session.lost) await session.execute(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS}`);
    }
  }

  /** That both tables are those that they were, whatever their definitions. Nothing where the account may not see it. */
  async checkIdentity(session: Session): Promise<void> {
    if (this.tableId !== null && !(await this.isSameTable(session)))
      throw changed(this.pair, 'was truncated or altered');
    if (this.ghostId !== null && (await this.readGhostId(session)) !== this.ghostId)
      throw ghostChanged(this.pair, 'was truncated, altered or replaced');
  }

  /**
   * Right after the swap: that it was the table which was looked at under the lock that has become the old one. For
   * whatever might come between the release of a lock and a RENAME.
   */
  async checkOld(session: Session): Promise<void> {
    const { schema, names, origin } = this.pair;
    await this.refuseLateChildren(session);
    const name = { schema, table: names.old };
    const found = await readTableTypes(session, schema, [names.old]);
    if (!found.has(names.old) || (await this.isOldTable(session, name))) return;
    throw new Refusal(
      'LHM_ORIGIN_CHANGED',
      `Table '${schema}.${origin.table}' was truncated, altered or replaced by somebody else in the instant of the swap, which has undone that.`,
      `What was done to it is in '${schema}.${names.old}': do it to the new table as well.`,
    );
  }

  /** Without its id a TRUNCATE shows by its rows, which nobody can have put back before the RENAME. */
  private async isOldTable(session: Session, name: TableName): Promise<boolean> {
    try {
      if (this.tableId !== null)
        return (await readTableId(session, { ...this.reader, name })) === this.tableId;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
    }
    if (!this.hadRows) return true;
    const rows = await session.query(`SELECT 1 FROM ${qualified(name.schema, name.table)} LIMIT 1`);
    return rows.length > 0;
  }

  /** MariaDB lets a key be made to a table that is locked, and then renamed: it leads to the old table. */
  private async refuseLateChildren(session: Session): Promise<void> {
    const { schema, names, origin } = this.pair;
    const [late] = await this.children.late(session);
    if (late === undefined) return;
    const { child, key } = late;
    const right = addKey({ ...key, name: `${key.name}_`, parent: { schema, table: origin.table } });
    throw new Refusal(
      'LHM_ORIGIN_CHANGED',
      `In the instant of the swap somebody made the foreign key '${key.name}' of '${child.schema}.${child.table}', which leads to the old table '${names.old}' now.`,
      `Let it lead to the new one: ALTER TABLE ${qualified(child.schema, child.table)} ${dropKey(key.name)}, ${right};`,
    );
  }

  private async readGhostId(session: Session): Promise<string | null> {
    const { schema, names } = this.pair;
    try {
      const id = await readTableId(session, { ...this.reader, name: { schema, table: names.ghost } });
      return id === null ? null : withoutVersions(id);
    } catch (error) {
      throw error instanceof Refusal ? ghostChanged(this.pair, 'was dropped or renamed') : error;
    }
  }

  private async checkDefinition(session: Session): Promise<void> {
    const { schema, origin } = this.pair;
    let createSql: string;
    try {
      createSql = await showCreateTable(session, { schema, table: origin.table });
    } catch (error) {
      if (GONE.has(errorNumber(error))) throw changed(this.pair, 'was dropped or renamed');
      throw error;
    }
    if (definitionText(createSql) !== definitionText(origin.createSql)) {
      throw changed(this.pair, 'was altered');
    }
    const counter = BigInt(autoIncrementOf(createSql) ?? '0');
    if (this.counter !== null && counter < this.counter && !(await this.isSameTable(session)))
      throw changed(this.pair, 'was truncated');
    this.counter = counter;
    await this.checkDate(session);
    await this.source.check(session);
  }

  private async checkDate(session: Session): Promise<void> {
    if (this.created === null) return;
    const created = await readCreated(session, this.reader.name);
    if (created === null) throw new NoDate(this.reader.name);
    if (created !== this.created) throw changed(this.pair, 'was altered');
  }

  /** A counter falls without a TRUNCATE, too: a restart takes back numbers that were set aside and not used. */
  private async isSameTable(session: Session): Promise<boolean> {
    return this.tableId !== null && (await readTableId(session, this.reader)) === this.tableId;
  }

  /**
   * The check under the lock of the cut-over, when nothing can change any more. The first and the last key tell of
   * a TRUNCATE that slipped in before the lock was granted, also where the table's id cannot be read.
   */
  async checkLocked(session: Session): Promise<void> {
    await this.checkUnchanged(session);
    await this.checkEdges(session);
  }

  /** What of it does not need the last changes to be applied. */
  async checkUnchanged(session: Session): Promise<void> {
    await this.checkDefinition(session);
    await this.checkChildren(session, true);
    await refuseReadOnly(session, this.place.readOnly);
    await this.checkIdentity(session);
    const { schema, names } = this.pair;
    const triggers = await readTriggers(session, { schema, table: names.ghost });
    if (triggers.some(({ name }) => !Object.values(names.gates).includes(name)))
      throw ghostChanged(this.pair, 'was given a trigger');
    if (
      !this.place.onReplica &&
      (await hasReplicatedWrites(session, this.reader.server, this.place.byTriggers))
    ) {
      throw new Refusal(
        'LHM_REPLICATED_WRITES',
        'The server has begun to apply changes of another one, which are not captured.',
        'Nothing was swapped. Stop the replication, and run again.',
      );
    }
  }

  /**
   * Each table's first and last row are in the other one. Not that they are the same: the new table's index may sort
   * otherwise, and to sort it by the old one's would take all its rows.
   */
  async checkEdges(session: Session): Promise<void> {
    const { schema, origin, ghost, names, key } = this.pair;
    const before = { schema, table: origin.table, index: key.originIndex, keys: key.originKeys };
    const after = { schema, table: names.ghost, index: key.ghostIndex, keys: key.ghostKeys };
    for (const [one, keys, other] of [
      [before, key.originKeys, after],
      [after, key.ghostKeys.sortedLike(ghost, key.ghostIndex), before],
    ] as const) {
      const edges = await firstAndLast(session, { ...one, keys });
      if (one === before) this.hadRows = edges.length > 0;
      if (edges.length > 0 && (await count(session, other, edges)) === edges.length) continue;
      if (edges.length === 0 && (await firstAndLast(session, other)).length === 0) continue;
      throw changed(this.pair, '(or its copy) was robbed of its first or last row');
    }
  }
}

async function firstAndLast(session: Session, { schema, table, index, keys }: Walk): Promise<RowKey[]> {
  const edges = new Map<string, RowKey>();
  for (const reversed of [false, true]) {
    const [row] = await session.query(
      `SELECT ${keys.select(id(table))} FROM ${qualified(schema, table)} FORCE INDEX (${id(index)})` +
        ` ORDER BY ${keys.order(id(table), reversed)} LIMIT 1`,
    );
    if (row !== undefined) edges.set(JSON.stringify(keys.read(row)), keys.read(row));
  }
  return [...edges.values()];
}

/** How many of the rows are there. */
async function count(
  session: Session,
  { schema, table, index, keys }: Walk,
  list: readonly RowKey[],
): Promise<number> {
  const [row] = await session.query<{ hadron_rows: string }>(
    `SELECT COUNT(*) AS hadron_rows FROM ${qualified(schema, table)} FORCE INDEX (${id(index)})` +
      ` WHERE ${keyListCondition(keys, id(table), list)}`,
  );
  return Number(row?.hadron_rows);
}

function ghostChanged(pair: TablePair, what: string): Refusal {
  return new Refusal(
    'LHM_GHOST_CHANGED',
    `The new table '${pair.names.ghost}' ${what} by somebody else.`,
    'Nothing was swapped. Keep others off that table, and run again.',
  );
}

function changed(pair: TablePair, what: string): Refusal {
  return new Refusal(
    'LHM_ORIGIN_CHANGED',
    `Table '${pair.schema}.${pair.origin.table}'${what.startsWith(':') ? '' : ' '}${what} by somebody else while it was migrated.`,
    'Nothing was swapped. Keep others from changing its definition or truncating it meanwhile, and run again.',
  );
}
