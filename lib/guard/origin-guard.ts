import { Refusal } from '../errors';
import type { Walk } from '../chunk/chunker';
import { keyListCondition } from '../chunk/key-range';
import type { ChangeSource } from '../changes/change-source';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { hasReplicatedWrites } from '../database/process-list';
import { errorNumber } from '../database/server-error';
import type { RowKey } from '../schema/key-column';
import { showCreateTable } from '../schema/read-table-schema';
import type { TablePair } from '../schema/table-pair';
import { autoIncrementOf, definitionText } from '../schema/table-schema';
import type { ChildGuard } from './child-guard';
import { readTableId, type TableIdReader } from './table-id';

/**
 * Notices what no trigger sees: an ALTER, TRUNCATE, DROP or RENAME of the origin by somebody else, and triggers
 * that were dropped or replaced. It holds nothing on the table, because a TRUNCATE queued behind a guard's own
 * transaction would stall every query.
 */
export class OriginGuard {
  private counter: bigint | null = null;
  private tableId: string | null = null;

  constructor(
    private readonly pair: TablePair,
    private readonly source: ChangeSource,
    private readonly reader: TableIdReader,
    private readonly children: ChildGuard,
  ) {}

  /** Remembers the table as it is now. */
  async remember(session: Session): Promise<void> {
    this.tableId = await readTableId(session, this.reader);
    await this.checkChildren(session, true);
    await this.check(session);
  }

  /** @throws Refusal LHM_ORIGIN_CHANGED or LHM_TRIGGERS_CHANGED */
  async check(session: Session): Promise<void> {
    await this.checkDefinition(session);
    await this.checkChildren(session, false);
    await this.source.probe(session);
  }

  private async checkChildren(session: Session, now: boolean): Promise<void> {
    const change = await this.children.changed(session, now);
    if (change !== null) throw changed(this.pair, change);
  }

  private async checkDefinition(session: Session): Promise<void> {
    const { schema, origin } = this.pair;
    let createSql: string;
    try {
      createSql = await showCreateTable(session, { schema, table: origin.table });
    } catch (error) {
      if (errorNumber(error) === 1146) throw changed(this.pair, 'was dropped or renamed');
      throw error;
    }
    if (definitionText(createSql) !== definitionText(origin.createSql)) {
      throw changed(this.pair, 'was altered');
    }
    const counter = BigInt(autoIncrementOf(createSql) ?? '0');
    if (this.counter !== null && counter < this.counter && !(await this.isSameTable(session)))
      throw changed(this.pair, 'was truncated');
    this.counter = counter;
    await this.source.check(session);
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
    await this.checkDefinition(session);
    await this.checkChildren(session, true);
    if (this.tableId !== null && !(await this.isSameTable(session))) {
      throw changed(this.pair, 'was truncated or altered');
    }
    if (await hasReplicatedWrites(session, this.reader.server)) {
      throw new Refusal(
        'LHM_REPLICATED_WRITES',
        'The server has begun to apply changes of another one, which fire no triggers.',
        'Nothing was swapped. Stop the replication, and run again.',
      );
    }
    await this.checkEdges(session);
  }

  /**
   * Each table's first and last row are in the other one. Not that they are the same: the new table's index may sort
   * otherwise, and to sort it by the old one's would take all its rows.
   */
  private async checkEdges(session: Session): Promise<void> {
    const { schema, origin, ghost, names, key } = this.pair;
    const before = { schema, table: origin.table, index: key.originIndex, keys: key.originKeys };
    const after = { schema, table: names.ghost, index: key.ghostIndex, keys: key.ghostKeys };
    for (const [one, keys, other] of [
      [before, key.originKeys, after],
      [after, key.ghostKeys.sortedLike(ghost, key.ghostIndex), before],
    ] as const) {
      const edges = await firstAndLast(session, { ...one, keys });
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

function changed(pair: TablePair, what: string): Refusal {
  return new Refusal(
    'LHM_ORIGIN_CHANGED',
    `Table '${pair.schema}.${pair.origin.table}'${what.startsWith(':') ? '' : ' '}${what} by somebody else while it was migrated.`,
    'Nothing was swapped. Keep others from changing its definition or truncating it meanwhile, and run again.',
  );
}
