import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import type { KeyPlan, PlannedChild } from '../schema/key-plan';

/** What is written down before any key is changed: enough to bring all of them to either end. */
export interface KeyNote extends KeyPlan {
  readonly schema: string;
  readonly origin: string;
  readonly ghost: string;
  readonly old: string;
  /** What an index of the table bears for a moment. */
  readonly meanwhile: string;
}

export function keyNote(name: TableName, { ghost, old, foreignKey }: DerivedNames, keys: KeyPlan): KeyNote {
  return { ...keys, schema: name.schema, origin: name.table, ghost, old, meanwhile: foreignKey };
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
