import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import type { KeyPlan } from '../schema/key-plan';

/** What is written down before any key is changed: enough to bring all of them to either end. */
export interface KeyNote extends KeyPlan {
  readonly schema: string;
  readonly origin: string;
  readonly ghost: string;
  readonly old: string;
  /** What an index of the table bears for a moment. */
  readonly meanwhile: string;
  /** Whether the table loses its own keys before the swap, and the children theirs that lead to it. */
  readonly dropsFirst: boolean;
  /** Whether anything may have been changed. */
  readonly begun: boolean;
}

export function keyNote(
  name: TableName,
  { ghost, old, foreignKey }: DerivedNames,
  keys: KeyPlan,
  lockStays: boolean,
): KeyNote {
  const tables = { schema: name.schema, origin: name.table, ghost, old };
  return { ...keys, ...tables, meanwhile: foreignKey, dropsFirst: !lockStays, begun: false };
}
