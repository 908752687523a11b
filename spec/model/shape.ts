import fc from 'fast-check';
import type { Flavor } from '../support/servers';
import { record } from './record';

/** How rows are known: what the migration walks along. */
export interface KeyKind {
  readonly columns: readonly string[];
  readonly definition: string;
  readonly index: string;
  /** The literals of the n-th key; two numbers may be one key to the server. */
  readonly literals: (n: number) => readonly string[];
  /** Whether `key = key + 1` means something. */
  readonly counts: boolean;
  /** Whether the server may choose the key. */
  readonly auto: boolean;
}

/** The numbers of keys that statements use: few, so that they meet. */
export const KEYS = 10;

/** Equal under the collation, but not in bytes: 'a' and 'A' and 'ä', 'b' and 'b '. */
const LETTERS = ['a', 'A', 'b', 'b ', 'ä', 'c', 'D', 'd', 'e', 'é'];

const PRIMARY = { counts: false, auto: false };

export const KEY_KINDS: Readonly<Record<string, KeyKind>> = {
  int: {
    ...{ columns: ['id'], counts: true, auto: true },
    definition: 'id INT NOT NULL AUTO_INCREMENT',
    index: 'PRIMARY KEY (id)',
    literals: (n) => [String(n - 3)],
  },
  'beyond 2^63': {
    ...{ columns: ['id'], counts: true, auto: false },
    definition: 'id BIGINT UNSIGNED NOT NULL',
    index: 'PRIMARY KEY (id)',
    literals: (n) => [String(9_223_372_036_854_775_800n + BigInt(n))],
  },
  text: {
    ...{ columns: ['id'], ...PRIMARY },
    definition: 'id VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL',
    index: 'PRIMARY KEY (id)',
    literals: (n) => [`'${LETTERS[n]!}'`],
  },
  bytes: {
    ...{ columns: ['id'], ...PRIMARY },
    definition: 'id VARBINARY(6) NOT NULL',
    index: 'PRIMARY KEY (id)',
    literals: (n) => [`X'FF0${n % 3}${'00'.repeat(n % 4)}'`],
  },
  composite: {
    ...{ columns: ['part', 'id'], ...PRIMARY },
    definition: 'part DATETIME(3) NOT NULL, id INT NOT NULL',
    index: 'PRIMARY KEY (part, id)',
    literals: (n) => [`'2026-01-0${1 + (n % 3)} 00:00:00.00${n % 2}'`, String(n >> 1)],
  },
  descending: {
    ...{ columns: ['id'], counts: true, auto: false },
    definition: 'id SMALLINT NOT NULL',
    index: 'PRIMARY KEY (id DESC)',
    literals: (n) => [String(n - 5)],
  },
  'unique, without a primary one': {
    ...{ columns: ['id', 'part'], ...PRIMARY },
    definition: 'id DECIMAL(6, 2) NOT NULL, part CHAR(2) NOT NULL',
    index: 'UNIQUE KEY by_id (id, part)',
    literals: (n) => [`${n - 4}.5`, n % 2 === 0 ? "'x'" : "'y'"],
  },
};

/** A table, what becomes of it, and how. */
export interface Shape {
  readonly key: string;
  /** Clauses of the ALTER beside a new column. */
  readonly changes: readonly string[];
  readonly strategy: 'rename-under-lock' | 'sentry';
  readonly chunkRows: number;
  readonly verify: boolean;
  readonly rows: number;
}

/** What `note` is called when it was renamed. */
export const RENAMED = 'remark';

const CHANGES: readonly (readonly string[])[] = [
  ['MODIFY num VARCHAR(12) NULL', 'MODIFY num BIGINT NOT NULL DEFAULT 0'],
  ['MODIFY amount DOUBLE NULL', 'MODIFY amount VARCHAR(30) NULL'],
  [`RENAME COLUMN note TO ${RENAMED}`],
  // The same rule once more, or another one that the rows may break.
  ['ADD UNIQUE INDEX unique_again (uniq)', 'DROP INDEX by_uniq, ADD UNIQUE INDEX by_both (uniq, num)'],
  ['ADD UNIQUE INDEX by_loose (loose)'],
  ['ADD INDEX by_num (num)'],
];

export function shapes(flavor: Flavor): fc.Arbitrary<Shape> {
  return record({
    key: fc.constantFrom(...Object.keys(KEY_KINDS)),
    changes: fc
      .tuple(...CHANGES.map((choices) => fc.constantFrom('', ...choices)))
      .map((chosen) => chosen.filter((clause) => clause !== '')),
    strategy: fc.constantFrom<Shape['strategy']>(
      ...(flavor === 'mysql' ? (['rename-under-lock', 'sentry'] as const) : (['sentry'] as const)),
    ),
    chunkRows: fc.integer({ min: 1, max: 5 }),
    verify: fc.boolean(),
    rows: fc.integer({ min: 0, max: KEYS }),
  });
}

export const keyOf = ({ key }: Shape): KeyKind => KEY_KINDS[key]!;

export function alterOf({ changes }: Shape): string {
  return ['ADD COLUMN extra INT NOT NULL DEFAULT 7', ...changes].join(', ');
}

/** Whether rows of the old table may break a rule of the new one. */
export const mayCollide = ({ changes }: Shape): boolean =>
  changes.some((clause) => clause.includes('(loose)'));

export const isRenamed = ({ changes }: Shape): boolean => changes.some((clause) => clause.endsWith(RENAMED));

export function createSql(shape: Shape, table: string): string {
  const { definition, index } = keyOf(shape);
  return (
    `CREATE TABLE ${table} (${definition}, uniq INT NULL, loose INT NULL, num INT NOT NULL DEFAULT 0,` +
    ` amount FLOAT NULL, note VARCHAR(20) NULL, ${index}, UNIQUE KEY by_uniq (uniq)) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4`
  );
}
