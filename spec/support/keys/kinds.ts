import type { Flavor } from '../servers';

export type KeySql = string | readonly string[];

/** A table whose rows are named by a key of some kind, with the values that are easily mangled. */
export interface KeyKind {
  /** Columns and keys of the table; `n` and `note` are added. */
  readonly columns: string;
  /** The columns that name a row. */
  readonly key: readonly string[];
  /** SQL of the key of row `i`, from 0 on: an expression, or one for each column; different for every `i`. */
  readonly value: (i: number) => KeySql;
  /** The same key to the server, written otherwise. */
  readonly respelled?: (i: number) => KeySql;
  /** What stands behind the parentheses of CREATE TABLE. */
  readonly options?: string;
  readonly only?: Flavor;
  /** Default: a new column. */
  readonly alter?: string;
  /** Most values that differ. Default: as many as are wanted. */
  readonly most?: number;
  /** So few that to find a chunk's end by reading the whole index is right. */
  readonly few?: boolean;
  /** Fewest rows with which the servers look keys up instead of reading all there are. */
  readonly rows?: number;
}

const pad = (i: number, width: number): string => String(i).padStart(width, '0');

const day = (i: number): string => `DATE'1969-12-01' + INTERVAL ${i} DAY`;

/** Text that every careless way of quoting or encoding spoils, with `i` in it. */
function oddText(i: number): string {
  const odd = [
    `'it''s ${i}'`,
    `'back\\\\slash ${i}'`,
    `'"${i}"'`,
    `'\`${i}\`'`,
    `CONCAT('nul', CHAR(0), '${i}')`,
    `_utf8mb4'😀${i}'`,
    `'${i}%_\\\\_'`,
    `CONCAT('line', CHAR(10), '${i}')`,
    `' ${i}'`,
    `'${i}\\\\'`,
    `':name ? ${i}'`,
  ];
  return odd[i % odd.length]!;
}

const word = (i: number): string => `${'aàbcçdeéfgñoöuü'.charAt(i % 15)}w${i}`;

const ENUM_MEMBERS = 220;

const numbers: Readonly<Record<string, KeyKind>> = {
  INT: { columns: 'id INT PRIMARY KEY', key: ['id'], value: (i) => String(i * 3) },
  'BIGINT UNSIGNED beyond 2^63': {
    columns: 'id BIGINT UNSIGNED PRIMARY KEY',
    key: ['id'],
    value: (i) => (i % 2 ? String(18446744073709551615n - BigInt(i)) : String(9007199254740990n + BigInt(i))),
  },
  'negative ids and 0': { columns: 'id INT PRIMARY KEY', key: ['id'], value: (i) => String(i - 70) },
  'AUTO_INCREMENT with id 0': {
    columns: 'id INT PRIMARY KEY AUTO_INCREMENT',
    key: ['id'],
    value: String,
  },
  'sparse ids': { columns: 'id BIGINT PRIMARY KEY', key: ['id'], value: (i) => String(i * 100_000_000_000) },
  'ZEROFILL that is taken away': {
    columns: 'id INT(8) UNSIGNED ZEROFILL PRIMARY KEY',
    key: ['id'],
    value: String,
    alter: 'MODIFY id BIGINT NOT NULL',
  },
  DECIMAL: {
    columns: 'id DECIMAL(38,10) PRIMARY KEY',
    key: ['id'],
    value: (i) => `${i % 2 ? '-' : ''}1234567890123456789012345678.${pad(i, 10)}`,
  },
  BIT: { columns: 'id BIT(10) PRIMARY KEY', key: ['id'], value: (i) => String(i * 3) },
  'BIT(64) beyond 2^63': {
    columns: 'id BIT(64) PRIMARY KEY',
    key: ['id'],
    value: (i) => String(i % 2 ? 18446744073709551615n - BigInt(i) : i),
  },
  YEAR: {
    columns: 'id YEAR PRIMARY KEY',
    key: ['id'],
    value: (i) => (i === 0 ? "'0000'" : String(1900 + i)),
    most: 256,
  },
  ENUM: {
    columns: `id ENUM(${Array.from({ length: ENUM_MEMBERS }, (_, i) => `'${(i * 89) % ENUM_MEMBERS}'`).join(', ')}) PRIMARY KEY`,
    key: ['id'],
    value: (i) => `'${i}'`,
    ...{ most: ENUM_MEMBERS, few: true },
  },
};

const times: Readonly<Record<string, KeyKind>> = {
  DATE: {
    columns: 'id DATE PRIMARY KEY',
    key: ['id'],
    value: day,
  },
  'DATETIME(6)': {
    columns: 'id DATETIME(6) PRIMARY KEY',
    key: ['id'],
    value: (i) => `'2026-03-29 02:30:00.${pad(i, 6)}'`,
  },
  TIMESTAMP: {
    columns: 'id TIMESTAMP PRIMARY KEY',
    key: ['id'],
    value: (i) => `TIMESTAMP'2026-10-25 00:30:00' + INTERVAL ${i} MINUTE`,
  },
  'TIMESTAMP(3)': {
    columns: 'id TIMESTAMP(3) PRIMARY KEY',
    key: ['id'],
    value: (i) => `'2026-10-25 01:30:00.${pad(i, 3)}'`,
  },
  TIME: {
    columns: 'id TIME PRIMARY KEY',
    key: ['id'],
    value: (i) => `'${i % 2 ? '-' : ''}${pad(600 + i, 3)}:59:0${i % 10}'`,
  },
};

const bytes: Readonly<Record<string, KeyKind>> = {
  'BINARY(16) with trailing zeros and invalid UTF-8': {
    columns: 'id BINARY(16) PRIMARY KEY',
    key: ['id'],
    value: (i) => `X'FF00C328${i.toString(16).padStart(4, '0')}00000000000000000000'`,
  },
  'VARBINARY that differs in trailing zeros': {
    columns: 'id VARBINARY(300) PRIMARY KEY',
    key: ['id'],
    value: (i) => `X'C3${'00'.repeat(i)}'`,
  },
  UUID: {
    columns: 'id UUID PRIMARY KEY',
    key: ['id'],
    value: (i) => `'${pad(i * 7919, 8)}-e89b-12d3-a456-4266141740${pad(i % 100, 2)}'`,
    only: 'mariadb',
  },
  INET6: {
    columns: 'id INET6 PRIMARY KEY',
    key: ['id'],
    value: (i) => (i % 2 ? `'2001:db8::${i.toString(16)}'` : `'::ffff:10.0.0.${i}'`),
    only: 'mariadb',
  },
};

const texts: Readonly<Record<string, KeyKind>> = {
  'VARCHAR with quotes, backslashes, emoji and NUL': {
    columns: 'id VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY',
    key: ['id'],
    value: oddText,
  },
  'VARCHAR under a collation that knows neither case nor accents': {
    columns: 'id VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY',
    key: ['id'],
    value: (i) => `'${word(i)}'`,
    respelled: (i) => `'${word(i).toUpperCase()}'`,
  },
  'VARCHAR under utf8mb4_0900_ai_ci': {
    columns: 'id VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci PRIMARY KEY',
    key: ['id'],
    value: (i) => `'${word(i)}${' '.repeat(i % 3)}'`,
    respelled: (i) => `'${word(i).toUpperCase()}${' '.repeat(i % 3)}'`,
    only: 'mysql',
  },
  'VARCHAR under utf8mb4_general_ci, with blanks at the end': {
    columns: 'id VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY',
    key: ['id'],
    value: (i) => `'${word(i)}${' '.repeat(i % 3)}'`,
    respelled: (i) => `'${word(i).toUpperCase()}   '`,
  },
  'VARCHAR that differs in blanks at the end': {
    columns: 'id VARCHAR(300) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin PRIMARY KEY',
    key: ['id'],
    value: (i) => `CONCAT('a', SPACE(${i}))`,
    only: 'mariadb',
  },
  CHAR: {
    columns: 'id CHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY',
    key: ['id'],
    value: (i) => (i === 0 ? "''" : `'${word(i)}'`),
    respelled: (i) => `'${word(i).toUpperCase()}'`,
  },
  'latin1 VARCHAR': {
    columns: 'id VARCHAR(20) CHARACTER SET latin1 PRIMARY KEY',
    key: ['id'],
    value: (i) => `CONCAT(_latin1 X'E9', ${i})`,
    respelled: (i) => `CONCAT(_latin1 X'C9', ${i})`,
  },
  'ucs2 VARCHAR': {
    columns: 'id VARCHAR(20) CHARACTER SET ucs2 PRIMARY KEY',
    key: ['id'],
    value: (i) => `'ž${word(i)}'`,
    respelled: (i) => `'Ž${word(i).toUpperCase()}'`,
  },
  'utf16le CHAR': {
    columns: 'id CHAR(20) CHARACTER SET utf16le PRIMARY KEY',
    key: ['id'],
    value: (i) => `'ž${word(i)}'`,
  },
  'sjis VARCHAR': {
    columns: 'id VARCHAR(20) CHARACTER SET sjis PRIMARY KEY',
    key: ['id'],
    // The second byte of the character is a backslash.
    value: (i) => `CONCAT(_sjis X'835C', ${i})`,
  },
};

const composites: Readonly<Record<string, KeyKind>> = {
  'two columns': {
    columns: 'a INT NOT NULL, b BIGINT UNSIGNED NOT NULL, PRIMARY KEY (a, b)',
    key: ['a', 'b'],
    value: (i) => [`${i % 4}`, `${18446744073709551615n - BigInt(i)}`],
  },
  'three columns': {
    columns: 'a INT NOT NULL, b VARCHAR(10) NOT NULL, c DATE NOT NULL, PRIMARY KEY (a, b, c)',
    key: ['a', 'b', 'c'],
    value: (i) => [`${i % 3}`, `'${'abc'.charAt(i % 2)}'`, day(i)],
    respelled: (i) => [`${i % 3}`, `'${'ABC'.charAt(i % 2)}'`, day(i)],
  },
  'five columns': {
    columns:
      "a TINYINT NOT NULL, b ENUM('z','y','x') NOT NULL, c BINARY(3) NOT NULL, d DATETIME(3) NOT NULL, e DECIMAL(8,2) NOT NULL, PRIMARY KEY (a, b, c, d, e)",
    key: ['a', 'b', 'c', 'd', 'e'],
    value: (i) => [
      `${(i % 2) - 1}`,
      `'${'xyz'.charAt(i % 3)}'`,
      `X'${i % 5 ? '61' : '62'}0000'`,
      `'2026-01-01 00:00:00.00${i % 2}'`,
      `${i}.25`,
    ],
  },
  'ENUM before a number': {
    columns: "a ENUM('z','y','x','w') NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b)",
    key: ['a', 'b'],
    value: (i) => [`'${'wxyz'.charAt(i % 4)}'`, `${i}`],
  },
  'ENUM DESC before a number': {
    columns: "a ENUM('z','y','x','w') NOT NULL, b INT NOT NULL, PRIMARY KEY (a DESC, b)",
    key: ['a', 'b'],
    value: (i) => [`'${'wxyz'.charAt(i % 4)}'`, `${i}`],
  },
  'DESC parts': {
    columns: 'a INT NOT NULL, b INT NOT NULL, c INT NOT NULL, PRIMARY KEY (a, b DESC, c)',
    key: ['a', 'b', 'c'],
    value: (i) => [`${i % 2}`, `${i % 7}`, `${i}`],
  },
  'nothing but DESC parts': {
    columns: 'a INT NOT NULL, b VARCHAR(9) NOT NULL, PRIMARY KEY (a DESC, b DESC)',
    key: ['a', 'b'],
    value: (i) => [`${i % 3}`, `'b${i}'`],
  },
  'DESC parts that the change turns round': {
    columns: 'a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a DESC, b)',
    key: ['a', 'b'],
    value: (i) => [`${i % 3}`, `${i}`],
    alter: 'DROP PRIMARY KEY, ADD PRIMARY KEY (a, b DESC)',
  },
  'a key whose columns stand in another order in the new one': {
    columns: 'a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b), UNIQUE KEY (b, a)',
    key: ['a', 'b'],
    value: (i) => [`${i % 3}`, `${i}`],
    alter: 'DROP PRIMARY KEY, ADD PRIMARY KEY (b, a)',
  },
};

const others: Readonly<Record<string, KeyKind>> = {
  'UNIQUE NOT NULL instead of a primary key': {
    columns: 'id INT NULL, code VARCHAR(20) NOT NULL, UNIQUE KEY by_code (code)',
    key: ['code'],
    value: (i) => `'c${i}'`,
  },
  'a primary key over a prefix, and a UNIQUE NOT NULL one': {
    columns: 'a VARCHAR(20) NOT NULL, id INT NOT NULL, PRIMARY KEY (a(4)), UNIQUE KEY by_id (id)',
    key: ['a', 'id'],
    value: (i) => [`'${pad(i, 4)}more'`, `${i}`],
  },
  'a primary key over a generated column, and a UNIQUE NOT NULL one': {
    columns: 'id INT NOT NULL, g INT AS (id * 2) STORED, UNIQUE KEY by_g (g), UNIQUE KEY by_id (id), KEY (n)',
    key: ['id'],
    value: String,
  },
  'an invisible column': {
    columns: 'id INT NOT NULL DEFAULT 0 INVISIBLE, PRIMARY KEY (id)',
    key: ['id'],
    value: String,
  },
  'a column with an odd name': {
    columns: '`a ``key``? :x` INT NOT NULL PRIMARY KEY',
    key: ['`a ``key``? :x`'],
    value: String,
  },
  partitions: {
    columns: 'id INT NOT NULL PRIMARY KEY',
    key: ['id'],
    value: String,
    options: 'PARTITION BY HASH (id) PARTITIONS 3',
    rows: 600,
  },
};

/** Keys by which a table must be walkable. */
export const KEY_KINDS: Readonly<Record<string, KeyKind>> = {
  ...numbers,
  ...times,
  ...bytes,
  ...texts,
  ...composites,
  ...others,
};
