import { createHash } from 'node:crypto';

/** Longest name of anything. MySQL and MariaDB count characters, not bytes. */
export const MAX_LENGTH = 64;

/**
 * Longest name that is derived: MySQL names CHECK constraints after their table, and renames them with it, so it must bear
 * `_chk_` and a number behind it.
 */
const LONGEST = MAX_LENGTH - '_chk_999'.length;

export function characters(name: string): string[] {
  return Array.from(name);
}

/** The names of everything a migration puts on the server. */
export interface DerivedNames {
  readonly ghost: string;
  readonly old: string;
  readonly journal: string;
  readonly state: string;
  readonly recheck: string;
  /** What the migration writes to see itself in the binary log (`mode: 'binlog'`). */
  readonly changelog: string;
  readonly scratch: string;
  /** Under which the new table stays after `replica: 'test'`. */
  readonly tested: string;
  /** Pattern of the names that foreign keys bear meanwhile: see `standInName`. */
  readonly foreignKey: string;
  readonly triggers: { readonly insert: string; readonly update: string; readonly delete: string };
  /** Triggers on the new table that refuse writes until it is complete (`rename-then-replay`). */
  readonly gates: { readonly insert: string; readonly update: string; readonly delete: string };
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
    changelog: name(`_lhmc_${timestamp}`),
    scratch: name(`_lhmx_${timestamp}`),
    tested: name(`_lhmt_${timestamp}`),
    foreignKey: name(`_lhmf_${timestamp}_000`),
    triggers: { insert: name('_lhmi'), update: name('_lhmu'), delete: name('_lhmd') },
    gates: { insert: name('_lhmgi'), update: name('_lhmgu'), delete: name('_lhmgd') },
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

/** The run's timestamp, out of the names that hold it. */
export function timestampIn({ old }: Pick<DerivedNames, 'old'>): string {
  return old.slice(old.lastIndexOf('_') + 1);
}

function derive(table: string, suffix: string): string {
  const all = characters(table);
  if (all.length + suffix.length <= LONGEST) return table + suffix;
  const hash = createHash('sha256').update(table).digest('hex').slice(0, 8);
  const kept = all.slice(0, LONGEST - suffix.length - hash.length - 1).join('');
  return `${kept}~${hash}${suffix}`;
}
