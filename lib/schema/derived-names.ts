import { createHash } from 'node:crypto';

/** MySQL and MariaDB count characters, not bytes. */
const MAX_LENGTH = 64;

/** The names of everything a migration puts on the server. */
export interface DerivedNames {
  readonly ghost: string;
  readonly old: string;
  readonly journal: string;
  readonly state: string;
  readonly recheck: string;
  readonly scratch: string;
  /** Pattern of the names that foreign keys bear meanwhile: see `standInName`. */
  readonly foreignKey: string;
  readonly triggers: { readonly insert: string; readonly update: string; readonly delete: string };
}

/**
 * Derives all names from the table's: the letters of 2011 (`lhmn`, `lhmo`, `lhmj`) as suffixes.
 *
 * RENAME takes its metadata locks in byte order of the names, so every other name must sort after the table's own:
 * otherwise writers slip into the old table. A suffix keeps that order by itself; a name that had to be cut is
 * checked, and its hash keeps two long names apart.
 *
 * @param timestamp `YYYYMMDDhhmmssmmm`, so that several old tables can stand side by side
 */
export function derivedNames(table: string, timestamp: string): DerivedNames {
  const name = (suffix: string): string => derive(table, suffix);
  return {
    ghost: name('_lhmn'),
    state: name('_lhms'),
    old: name(`_lhmo_${timestamp}`),
    journal: name(`_lhmj_${timestamp}`),
    recheck: name(`_lhmr_${timestamp}`),
    scratch: name(`_lhmx_${timestamp}`),
    foreignKey: name(`_lhmf_${timestamp}_000`),
    triggers: { insert: name('_lhmi'), update: name('_lhmu'), delete: name('_lhmd') },
  };
}

/** The name of a foreign key for as long as its own is taken by the key that it stands in for. */
export function standInName({ foreignKey }: Pick<DerivedNames, 'foreignKey'>, number: number): string {
  return foreignKey.slice(0, -3) + String(number).padStart(3, '0');
}

/** Whether every name that takes part in the swap sorts after the table's, byte by byte. */
export function sortAfter(table: string, names: readonly string[]): boolean {
  const first = Buffer.from(table);
  return names.every((name) => Buffer.compare(first, Buffer.from(name)) < 0);
}

/** `YYYYMMDDhhmmssmmm` in UTC. */
export function timestampOf(date: Date): string {
  return date.toISOString().replace(/[-T:.Z]/g, '');
}

function derive(table: string, suffix: string): string {
  const characters = Array.from(table);
  if (characters.length + suffix.length <= MAX_LENGTH) return table + suffix;
  const hash = createHash('sha256').update(table).digest('hex').slice(0, 8);
  const kept = characters.slice(0, MAX_LENGTH - suffix.length - hash.length - 1).join('');
  return `${kept}~${hash}${suffix}`;
}
