import type { ForeignKey } from './foreign-key';
import type { TableName } from './identifier';

/** A key of the new table. */
export interface FinalKey {
  /** As it is made right before the swap; a reference to the table itself leads to the ghost. */
  readonly key: ForeignKey;
  /** What it is called in the end, where that is another name. */
  readonly name: string;
  /** New in the change: rows without a parent must not be there. */
  readonly added: boolean;
}

/** A key of another table that leads to this one. */
export interface PlannedChild {
  readonly child: TableName;
  /** As it is. */
  readonly key: ForeignKey;
  /** As it is made right before the swap: to the ghost, under a stand-in's name. */
  readonly standIn: ForeignKey;
  /** The child's indexes that the server may have made for the key, and would replace by another. */
  readonly indexes: readonly string[];
}

/** What becomes of the foreign keys of a table and of those that lead to it. */
export interface KeyPlan {
  /** The table's own, as they are. */
  readonly own: readonly ForeignKey[];
  /** On the ghost while rows are copied: what the server itself does to rows of the origin, it then does to the ghost's. */
  readonly carried: readonly ForeignKey[];
  readonly final: readonly FinalKey[];
  readonly children: readonly PlannedChild[];
  /** The table's indexes that the server may have made for keys of its own. */
  readonly ownIndexes: readonly string[];
  /** Indexes that the server made for carried keys, and that the new table is not to have. */
  readonly helperIndexes: readonly string[];
  /** The table's own keys by which a row may go from the ghost alone: see `rowsLeftBehind`. */
  readonly halfHeeded: readonly ForeignKey[];
}

export const NO_KEYS: KeyPlan = {
  own: [],
  carried: [],
  final: [],
  children: [],
  ownIndexes: [],
  helperIndexes: [],
  halfHeeded: [],
};

/** Whether the swap changes keys of any table. */
export function changesKeys({ own, final, children }: KeyPlan): boolean {
  return own.length + final.length + children.length > 0;
}

/** Tables whose keys lead to or from the table, itself apart: each once. */
export function relativesOf(
  { own, carried, final, children }: KeyPlan,
  self: TableName,
  ghost: string,
): TableName[] {
  const tables = new Map<string, TableName>();
  const parents = [...own, ...carried, ...final.map(({ key }) => key)].map(({ parent }) => parent);
  for (const one of [...parents, ...children.map(({ child }) => child)]) {
    if (one.schema === self.schema && (one.table === self.table || one.table === ghost)) continue;
    tables.set(JSON.stringify([one.schema, one.table]), one);
  }
  return [...tables.values()];
}

/** The children's keys, table by table. */
export function byTable(
  children: readonly PlannedChild[],
): (readonly [TableName, readonly PlannedChild[]])[] {
  const tables = new Map<string, [TableName, PlannedChild[]]>();
  for (const planned of children) {
    const { child } = planned;
    const id = JSON.stringify([child.schema, child.table]);
    const entry = tables.get(id) ?? [child, []];
    entry[1].push(planned);
    tables.set(id, entry);
  }
  return [...tables.values()];
}
