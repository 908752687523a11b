import type { ForeignKeysOption } from '../options/options';
import { cascades, describeKey, type ForeignKey } from '../schema/foreign-key';
import type { TableName } from '../schema/identifier';
import type { ChildKey } from '../schema/read-foreign-keys';

/** Foreign keys from the table and to it, in words, and what becomes of each. */
export function plannedKeys(
  table: TableName,
  own: readonly ForeignKey[],
  children: readonly ChildKey[],
  option: ForeignKeysOption,
): string[] {
  const kept = (key: ForeignKey): string =>
    cascades(key)
      ? 'the new table has it from the swap on, and follows its cascades before; rows copied lock their parents for a moment'
      : 'the new table has it from the swap on';
  return [
    ...own.map(
      (key) =>
        `${describeKey(`${table.schema}.${table.table}`, key)}: ${option === 'discard' ? 'left out of the new table' : kept(key)}, unless the change drops it`,
    ),
    ...children.map(
      ({ child, key }) =>
        `${describeKey(`${child.schema}.${child.table}`, key)}: leads to the new table from the swap on; that table is locked for the swap as well`,
    ),
  ];
}
