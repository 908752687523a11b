import type { AlterClause } from './alter-clause';

/** Follows the columns of the ghost through the statements that change it. */
export interface ColumnTracker {
  /** Takes in the clauses of one statement that has succeeded. */
  apply(clauses: readonly AlterClause[]): void;
  /** Origin column → the ghost column that carries its data, each in its final spelling. */
  mapping(): ReadonlyMap<string, string>;
  /** Ghost columns that carry no origin column's data. */
  added(): string[];
  /** Origin columns whose data no ghost column carries. */
  dropped(): string[];
}

interface TrackedColumn {
  readonly name: string;
  /** The origin's column whose data it carries; null for a new one. */
  readonly origin: string | null;
}

/**
 * @param originColumns the columns of the table before the first statement
 */
export function createColumnTracker(originColumns: readonly string[]): ColumnTracker {
  let columns: readonly TrackedColumn[] = originColumns.map((name) => ({ name, origin: name }));
  const carried = (): (readonly [string, string])[] =>
    columns.flatMap(({ name, origin }) => (origin === null ? [] : [[origin, name] as const]));
  return {
    apply: (clauses) => {
      columns = afterStatement(columns, clauses);
    },
    mapping: () => new Map(carried()),
    added: () => columns.filter(({ origin }) => origin === null).map(({ name }) => name),
    dropped: () => {
      const origins = new Set(carried().map(([origin]) => origin));
      return originColumns.filter((name) => !origins.has(name));
    },
  };
}

/**
 * The clauses of one statement are simultaneous: every name they refer to is one from before it. So a rename
 * chain swaps, and a column that is dropped and added again is a new one without the old one's data.
 */
function afterStatement(before: readonly TrackedColumn[], clauses: readonly AlterClause[]): TrackedColumn[] {
  const dropped = new Set<string>();
  const renamed = new Map<string, string>();
  const added: TrackedColumn[] = [];
  // What MariaDB's IF NOT EXISTS finds: the columns before the statement and those it has made so far.
  const found = new Set(before.map(({ name }) => fold(name)));
  for (const clause of clauses) {
    switch (clause.kind) {
      case 'drop-column':
        dropped.add(fold(clause.name));
        break;
      case 'rename-column':
        renamed.set(fold(clause.from), clause.to);
        break;
      case 'change-column':
        renamed.set(fold(clause.from), clause.to);
        if (found.has(fold(clause.from))) found.add(fold(clause.to));
        break;
      case 'modify-column':
        // The server takes over the spelling.
        renamed.set(fold(clause.name), clause.name);
        break;
      case 'add-column':
        for (const name of clause.names) {
          if (clause.ifNotExists && found.has(fold(name))) continue;
          found.add(fold(name));
          added.push({ name, origin: null });
        }
        break;
      default:
    }
  }
  const kept = before
    .filter(({ name }) => !dropped.has(fold(name)))
    .map(({ name, origin }) => ({ name: renamed.get(fold(name)) ?? name, origin }));
  return [...kept, ...added];
}

/** Names of columns are the same whatever the case, on both servers. */
function fold(name: string): string {
  return name.toLowerCase();
}
