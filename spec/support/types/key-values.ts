import type { Flavor } from '../servers';

/** A key and its values as SQL: those at the edges, and such as the server may take for equal though their bytes differ. */
export interface KeyValues {
  readonly what: string;
  /** Definitions of the key's columns. */
  readonly columns: readonly string[];
  /** The primary key. Default: the columns in their order. */
  readonly primary?: string;
  /** For each column as many as one likes; keys are made of all combinations, up to some number. */
  readonly values: readonly (readonly string[])[];
  readonly only?: Flavor;
  readonly sqlMode?: string;
  /** Time zone of the application. */
  readonly zone?: string;
  /** Default: a new column. */
  readonly alter?: string;
}

const one = (
  what: string,
  type: string,
  values: readonly string[],
  more: Partial<KeyValues> = {},
): KeyValues => ({
  what,
  columns: [`${type} NOT NULL`],
  values: [values],
  ...more,
});

const LETTERS = [
  "'a'",
  "'A'",
  "'á'",
  "'Á'",
  "'a '",
  "'A  '",
  "'b'",
  "'B'",
  "'ß'",
  "'ss'",
  "'sz'",
  "''",
  "' '",
  "'o'",
  "'ö'",
];
const EMOJI = ["'😀'", "'😁'", "'é'", "_utf8mb4 X'65CC81'", "_utf8mb4 X'61E2808D'", "'it''s'", "'\\\\'"];
const LAX = { sqlMode: 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES' };
const STRICT = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO';

const text = (
  charset: string,
  collation: string,
  values: readonly string[],
  more: Partial<KeyValues> = {},
): KeyValues => one(collation, `VARCHAR(20) CHARACTER SET ${charset} COLLATE ${collation}`, values, more);

const numbers: readonly KeyValues[] = [
  one('BIGINT', 'BIGINT', [
    ...['-9223372036854775808', '-9223372036854775807', '-9007199254740993', '-9007199254740992', '0'],
    ...['9007199254740992', '9007199254740993', '9223372036854775806', '9223372036854775807'],
  ]),
  one(
    'BIGINT UNSIGNED that gets signed',
    'BIGINT UNSIGNED',
    ['0', '9007199254740992', '9007199254740993', '9223372036854775806', '9223372036854775807'],
    { alter: 'MODIFY k0 BIGINT NOT NULL' },
  ),
  one('BIGINT UNSIGNED', 'BIGINT UNSIGNED', [
    ...['0', '9007199254740993', '9223372036854775807', '9223372036854775808'],
    ...['18446744073709551614', '18446744073709551615'],
  ]),
  one('DECIMAL(65,30)', 'DECIMAL(65,30)', [
    ...[`${'9'.repeat(35)}.${'9'.repeat(30)}`, `-${'9'.repeat(35)}.${'9'.repeat(30)}`, '0', '0.1', '-0.1'],
    ...[
      `0.${'0'.repeat(29)}1`,
      `-0.${'0'.repeat(29)}1`,
      '1000000000',
      '999999999.999999999',
      '-1000000000.000000001',
    ],
  ]),
  one('YEAR', 'YEAR', ["'0000'", '1901', '1970', '2000', '2154', '2155']),
  one('BIT(1)', 'BIT(1)', ["b'0'", "b'1'"]),
  one('BIT(64)', 'BIT(64)', [
    "b'0'",
    "b'1'",
    `b'1${'0'.repeat(63)}'`,
    `b'${'1'.repeat(64)}'`,
    `b'${'1'.repeat(63)}0'`,
  ]),
  one(
    'ENUM of 300',
    `ENUM(${Array.from({ length: 300 }, (_, n) => `'${(n * 7) % 300}'`).join(',')})`,
    [...["'0'", "'1'", "'299'", "'255'", "'150'", '255', '256', '257', "'nothing'"]],
    LAX,
  ),
];

const times: readonly KeyValues[] = [
  one(
    'DATE with zeros, and days that there are not',
    'DATE',
    [
      ...["'0000-00-00'", "'2024-00-00'", "'2024-02-00'", "'2024-02-29'", "'1000-01-01'", "'9999-12-31'"],
      ...["'2024-02-30'", "'2024-02-31'", "'2023-11-31'"],
    ],
    LAX,
  ),
  one(
    'DATETIME(6) with zeros',
    'DATETIME(6)',
    [
      ...[
        "'0000-00-00 00:00:00'",
        "'2024-00-00 12:00:00.5'",
        "'1000-01-01 00:00:00.000001'",
        "'9999-12-31 23:59:59.999999'",
        "'2024-02-31 23:59:59.999999'",
      ],
      ...["'1969-12-31 23:59:59.999999'", "'2024-03-31 02:30:00'", "'2024-03-31 02:30:00.000001'"],
    ],
    LAX,
  ),
  one(
    'TIMESTAMP(6) with zeros',
    'TIMESTAMP(6)',
    [
      ...[
        "'0000-00-00 00:00:00'",
        "'1970-01-01 00:00:01'",
        "'2038-01-19 03:14:07.999999'",
        "'2024-10-27 00:59:59.999999'",
        "'2024-10-27 01:00:00'",
      ],
    ],
    { ...LAX, zone: '+00:00' },
  ),
  one(
    'TIMESTAMP in a zone with summer time',
    'TIMESTAMP',
    [
      ...[
        "'2024-10-27 02:30:00'",
        "'2024-10-27 01:59:59'",
        "'2024-10-27 03:00:00'",
        "'2024-03-31 01:59:59'",
        "'2024-03-31 03:00:00'",
      ],
      // Both of them are half past two.
      ...['(SELECT at FROM instants WHERE n = 1)', '(SELECT at FROM instants WHERE n = 2)'],
    ],
    { zone: 'Europe/Berlin' },
  ),
  one('TIME', 'TIME', [
    "'-838:59:59'",
    "'838:59:59'",
    "'00:00:00'",
    "'-00:00:01'",
    "'00:00:01'",
    "'-100:00:00'",
  ]),
  one('TIME(6)', 'TIME(6)', [
    ...[
      "'-838:59:58.999999'",
      "'838:59:58.999999'",
      "'-00:00:00.000001'",
      "'00:00:00.000001'",
      "'00:00:00'",
      "'-01:00:00.5'",
      "'-01:00:00.500001'",
    ],
  ]),
];

const texts: readonly KeyValues[] = [
  text('utf8mb4', 'utf8mb4_0900_ai_ci', [...LETTERS, ...EMOJI], { only: 'mysql' }),
  text('utf8mb4', 'utf8mb4_0900_as_cs', [...LETTERS, ...EMOJI], { only: 'mysql' }),
  text('utf8mb4', 'utf8mb4_unicode_ci', [...LETTERS, ...EMOJI]),
  text('utf8mb4', 'utf8mb4_general_ci', [...LETTERS, ...EMOJI]),
  text('utf8mb4', 'utf8mb4_unicode_nopad_ci', [...LETTERS, ...EMOJI], { only: 'mariadb' }),
  text('utf8mb4', 'utf8mb4_bin', [...LETTERS, ...EMOJI]),
  text('latin1', 'latin1_swedish_ci', [...LETTERS, "_latin1 X'FF'", "_latin1 X'00'", "_latin1 X'8081'"]),
  text('latin1', 'latin1_german2_ci', [...LETTERS, "'oe'", "'Ö'"]),
  text('utf16', 'utf16_general_ci', [...LETTERS, "'😀'", "'日本'"]),
  text('gbk', 'gbk_chinese_ci', ["'a'", "'A'", "'a '", "'日'", "'本'", "''", "_gbk X'815C'", "_gbk X'8140'"]),
  text('sjis', 'sjis_japanese_ci', ["'a'", "'A'", "'ソ'", "'ｱ'", "_sjis X'835C'", "_sjis X'815C'", "''"]),
  one('CHAR with blanks', 'CHAR(5) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', [
    ...LETTERS,
    "'😀😀😀😀😀'",
  ]),
  one('CHAR under PAD_CHAR_TO_FULL_LENGTH', 'CHAR(9) CHARACTER SET latin1', LETTERS, {
    sqlMode: `${STRICT},PAD_CHAR_TO_FULL_LENGTH`,
  }),
  one('CHAR(255)', 'CHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', [
    "REPEAT('😀', 255)",
    "REPEAT('x', 255)",
    "''",
    "'x'",
  ]),
  one('BINARY(4)', 'BINARY(4)', [
    "X'00000000'",
    "X'20202020'",
    "X'FF'",
    "X'FF20'",
    "X'C328'",
    "X'00FF'",
    "X'27'",
    "X'5C00'",
  ]),
  one('VARBINARY(300)', 'VARBINARY(300)', [
    "X''",
    "X'00'",
    "X'0000'",
    "X'20'",
    "X'2020'",
    "X'FF'",
    "X'C328'",
    "REPEAT(X'AB', 300)",
    "REPEAT(X'AB', 256)",
  ]),
  one(
    'UUID',
    'UUID',
    [
      ...[
        "'00000000-0000-0000-0000-000000000000'",
        "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
        "'f81d4fae-7dec-11d0-a765-00a0c91e6bf6'",
      ],
      ...[
        "'f81d4fae-7dec-41d0-a765-00a0c91e6bf6'",
        "'0188b2a3-1000-7000-8000-000000000001'",
        "'01000000-0000-1000-8000-000000000000'",
      ],
    ],
    { only: 'mariadb' },
  ),
  one('INET4', 'INET4', ["'0.0.0.0'", "'10.0.0.0'", "'255.255.255.255'", "'127.0.0.1'", "'128.0.0.1'"], {
    only: 'mariadb',
  }),
  one(
    'INET6',
    'INET6',
    ["'::'", "'::1'", "'::ffff:1.2.3.4'", "'2001:db8::'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'"],
    { only: 'mariadb' },
  ),
];

const several = (
  what: string,
  types: readonly string[],
  primary: string,
  values: KeyValues['values'],
): KeyValues => ({
  what,
  columns: types.map((type) => `${type} NOT NULL`),
  primary,
  values,
});

const composites: readonly KeyValues[] = [
  several(
    'small numbers with and without a sign',
    ['TINYINT', 'SMALLINT UNSIGNED', 'MEDIUMINT UNSIGNED'],
    'k0, k1 DESC, k2',
    [
      ['-128', '127', '0'],
      ['0', '32768', '65535'],
      ['0', '8388608', '16777215'],
    ],
  ),
  several('more of them', ['TINYINT UNSIGNED', 'MEDIUMINT', 'INT UNSIGNED'], 'k2, k1, k0', [
    ['0', '128', '255'],
    ['-8388608', '8388607', '-1'],
    ['0', '2147483648', '4294967295'],
  ]),
  several(
    'fractions of one digit and of two',
    ['DATETIME(1)', 'TIME(2)', 'DECIMAL(19,1) UNSIGNED'],
    'k1, k0 DESC, k2',
    [
      ["'2024-01-01 00:00:00.9'", "'1000-01-01 00:00:00.5'", "'2024-01-01 00:00:00'"],
      ["'-00:00:00.01'", "'00:00:00.01'", "'-00:00:01.99'"],
      ['0.1', '999999999999999999.9', '1000000000'],
    ],
  ),
  several('bits that fill no byte, and nothing but a fraction', ['BIT(17)', 'DECIMAL(9,9)'], 'k0, k1', [
    ["b'0'", "b'11111111'", "b'100000000'", "b'10000000000000000'", `b'${'1'.repeat(17)}'`],
    ['0', '0.000000001', '-0.000000001', '0.999999999', '-0.999999999'],
  ]),
  several(
    'text, number and moment, each the other way round',
    ['VARCHAR(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci', 'DECIMAL(10,1)', 'TIMESTAMP(3)'],
    'k0 DESC, k1, k2 DESC',
    [
      ["'a'", "'A'", "'á '"],
      ['-0.5', '0', '0.5'],
      ["'2024-10-27 01:30:00.001'", "'2024-10-27 00:30:00'"],
    ],
  ),
  several(
    'bytes, bits and a span of time, in another order than they stand',
    ['TIME(3)', 'VARBINARY(4)', 'BIT(9)'],
    'k1, k2 DESC, k0',
    [
      ["'-00:00:00.001'", "'00:00:00'", "'838:59:59'"],
      ["X'00'", "X''", "X'0000'"],
      ["b'0'", "b'100000000'"],
    ],
  ),
  several(
    'a year, a member and text',
    ['YEAR', "ENUM('z','a','m')", 'CHAR(3) CHARACTER SET latin1'],
    'k0 DESC, k1 DESC, k2',
    [
      ["'0000'", '2155'],
      ["'z'", "'a'", "'m'"],
      ["'x'", "'X'", "'é'", "''"],
    ],
  ),
];

export function keyValuesOf(flavor: Flavor): readonly KeyValues[] {
  return [...numbers, ...times, ...texts, ...composites].filter(({ only = flavor }) => only === flavor);
}
