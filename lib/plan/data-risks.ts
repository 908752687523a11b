import { columnNamed, type Column, type Index, type TableSchema } from '../schema/table-schema';
import { conversionRisk } from './conversion-risk';
import type { DataRisk } from './plan';

/**
 * The ways in which a change can lose data, as far as the two definitions tell.
 *
 * @param mapping origin column → ghost column
 * @param hasValue whether a ghost column gets a value of its own
 */
export function dataRisks(
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
  hasValue: (ghostColumn: string) => boolean,
): DataRisk[] {
  const risks: DataRisk[] = [];
  for (const from of origin.columns) {
    const target = mapping.get(from.name);
    const to = target === undefined ? undefined : columnNamed(ghost, target);
    if (to === undefined) {
      const message = `Column '${from.name}' is dropped; its data stays in the old table only.`;
      if (!from.generated) risks.push({ name: from.name, effect: 'loses', message });
    } else if (!hasValue(to.name) && !to.generated) {
      risks.push(...columnRisks(from, to));
    }
  }
  return [...risks, ...uniqueRisks(origin, ghost, mapping)];
}

function columnRisks(from: Column, to: Column): DataRisk[] {
  const risks: DataRisk[] = [];
  if (from.nullable && !to.nullable) {
    const message = `Column '${from.name}' becomes NOT NULL: a row with NULL in it does not fit.`;
    risks.push({ name: from.name, effect: 'stops', message });
  }
  const risk = conversionRisk(from, to);
  if (risk !== null) {
    const types = `from ${typeOf(from, to)} to ${typeOf(to, from)}`;
    const message = `Column '${from.name}' is converted ${types}: ${risk}.`;
    risks.push({ name: from.name, effect: 'stops', message });
  }
  return risks;
}

function typeOf(column: Column, other: Column): string {
  const charset = column.charset !== other.charset && column.charset !== null ? ` ${column.charset}` : '';
  return `${column.columnType}${charset}`;
}

/** New unique keys, and those that tell fewer values apart than before. */
function uniqueRisks(
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
): DataRisk[] {
  const before = origin.indexes.filter((index) => index.unique);
  return ghost.indexes
    .filter((index) => index.unique && !before.some((old) => implies(old, index, origin, ghost, mapping)))
    .map((index) => ({
      name: index.name,
      effect: 'stops' as const,
      message: `Unique key '${index.name}' is new or tells fewer values apart: two rows that are the same under it do not fit.`,
    }));
}

/** Whether rows that differ under the old key differ under the new one as well. */
function implies(
  old: Index,
  index: Index,
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
): boolean {
  return old.parts.every((part) => {
    const from = part.column === null ? undefined : columnNamed(origin, part.column);
    const to = from && columnNamed(ghost, mapping.get(from.name) ?? '');
    if (from === undefined || to === undefined) return false;
    const covered = index.parts.some(
      (candidate) =>
        candidate.column?.toLowerCase() === to.name.toLowerCase() &&
        (candidate.prefix === null || (part.prefix !== null && candidate.prefix >= part.prefix)),
    );
    return covered && from.collation === to.collation && conversionRisk(from, to) === null;
  });
}
