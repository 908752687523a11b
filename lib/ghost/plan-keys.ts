import type { Database } from '../database/database';
import type { BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import type { DerivedNames } from '../schema/derived-names';
import { standInName } from '../schema/derived-names';
import { changesRows, parseForeignKeys } from '../schema/foreign-key';
import type { KeyPlan } from '../schema/key-plan';
import type { ChildKey } from '../schema/read-foreign-keys';
import { readIndexes } from '../schema/read-table-schema';
import type { TableSchema } from '../schema/table-schema';
import { carriedKeys } from './carried-keys';
import { mayBeMadeFor, plannedChildren } from './child-keys';
import { finalKeys } from './final-keys';
import { refuseNames } from './key-names';
import { settleGhostKeys } from './settle-ghost-keys';

export interface PlanKeysInput {
  readonly session: Session;
  readonly database: Database;
  readonly origin: TableSchema;
  /** As the user's statements have left it. */
  readonly ghost: TableSchema;
  readonly names: DerivedNames;
  readonly mapping: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, string>;
  /** Own key → what its copy on the ghost is called; empty where the keys were left out. */
  readonly copies: ReadonlyMap<string, string>;
  readonly children: readonly ChildKey[];
  readonly temporary: boolean;
  readonly bound: BoundedLock;
}

/** Numbers of stand-in names: copies on the ghost are counted from 1. */
const FIRST = { carried: 100, final: 300, children: 500 } as const;

/**
 * Works out what becomes of every foreign key, and leaves the ghost with those that it bears while rows are copied.
 *
 * @throws Refusal LHM_FOREIGN_KEYS
 */
export async function planKeys(input: PlanKeysInput): Promise<KeyPlan> {
  const { session, origin, ghost, names, mapping, values, temporary } = input;
  const own = parseForeignKeys(origin.createSql, origin.schema).map(withoutPlace);
  const found = parseForeignKeys(ghost.createSql, ghost.schema).map(withoutPlace);
  const from = (first: number) => (number: number) => standInName(names, first + number);
  const facts = { origin, ghost, mapping, values };
  const bySql = await cascadesBySql(session);
  const carried = carriedKeys(own, {
    ...{ ...facts, cascadesBySql: bySql, children: input.children },
    name: from(FIRST.carried),
  });
  const final = finalKeys(own, found, { ...facts, copies: input.copies, name: from(FIRST.final) });
  const children = await plannedChildren(session, input.children, { ...facts, name: from(FIRST.children) });
  let helperIndexes: string[] = [];
  if (!temporary && found.length + carried.length > 0) {
    await settleGhostKeys(session, ghost, found, carried, input.bound);
    const now = await readIndexes(session, { schema: ghost.schema, table: ghost.table });
    helperIndexes = now
      .map(({ name }) => name)
      .filter((name) => !ghost.indexes.some((index) => index.name === name));
  }
  const ownIndexes = origin.indexes
    .filter((index) => own.some(({ columns }) => mayBeMadeFor(index, columns)))
    .map(({ name }) => name);
  // Children that keep a row are not on the ghost.
  const kept = bySql && input.children.some(({ key }) => !changesRows(key.onDelete));
  const halfHeeded = kept ? own.filter(({ onDelete }) => onDelete === 'CASCADE') : [];
  await refuseNames(session, { ...input, own, final });
  return { own, carried, final, children, ownIndexes, helperIndexes, halfHeeded };
}

function withoutPlace({
  name,
  columns,
  parent,
  parentColumns,
  onDelete,
  onUpdate,
}: ReturnType<typeof parseForeignKeys>[number]): KeyPlan['own'][number] {
  return { name, columns, parent, parentColumns, onDelete, onUpdate };
}

/** Since 9.6 MySQL makes cascades by statements of its own, unless it is told to leave them to InnoDB. */
async function cascadesBySql(session: Session): Promise<boolean> {
  const [row] = await session.query<{ Value: string }>(
    "SHOW GLOBAL VARIABLES LIKE 'innodb_native_foreign_keys'",
  );
  return row?.Value.toUpperCase() === 'OFF';
}
