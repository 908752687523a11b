import type { Flavor } from '../servers';

/** A type of column and values of it, as SQL. */
export interface Kind {
  readonly name: string;
  readonly type: string;
  readonly values: readonly string[];
  /** What must be the same of two values, in SQL; `v` is the value. Default: all bytes of its text. */
  readonly same?: string;
  /** Only on this server. */
  readonly flavor?: Flavor;
  /** Only a table without strict mode has such values. */
  readonly lax?: true;
}

const kind = (name: string, type: string, values: readonly string[], more: Partial<Kind> = {}): Kind => ({
  name,
  type,
  values,
  ...more,
});

const BITS = (ones: string): string => `b'${ones}'`;

const numbers: readonly Kind[] = [
  kind('tiny', 'TINYINT', ['-128', '127', '0', '-1']),
  kind('tiny_u', 'TINYINT UNSIGNED', ['0', '255', '128']),
  kind('tiny_z', 'TINYINT ZEROFILL', ['7', '255']),
  kind('small', 'SMALLINT', ['-32768', '32767']),
  kind('small_u', 'SMALLINT UNSIGNED', ['65535', '32768']),
  kind('medium', 'MEDIUMINT', ['-8388608', '8388607', '-1']),
  kind('medium_u', 'MEDIUMINT UNSIGNED', ['16777215', '8388608']),
  kind('int', 'INT', ['-2147483648', '2147483647']),
  kind('int_u', 'INT UNSIGNED', ['4294967295', '2147483648']),
  kind('big', 'BIGINT', [
    '-9223372036854775808',
    '9223372036854775807',
    '9007199254740993',
    '-9007199254740993',
    '0',
  ]),
  kind('big_u', 'BIGINT UNSIGNED', ['18446744073709551615', '9223372036854775808', '9007199254740993', '0']),
  kind('year', 'YEAR', ['1901', '2155', '0', '2024']),
  kind('bit1', 'BIT(1)', [BITS('1'), BITS('0')], { same: 'HEX(v + 0)' }),
  kind('bit10', 'BIT(10)', [BITS('1000000001'), BITS('0'), BITS('1')], { same: 'HEX(v + 0)' }),
  kind('bit48', 'BIT(48)', [BITS('1'.repeat(48)), BITS('0')], { same: 'HEX(v + 0)' }),
  kind('bit64', 'BIT(64)', [BITS('1'.repeat(64)), BITS(`1${'0'.repeat(62)}1`), BITS('0')], {
    same: 'HEX(v + 0)',
  }),
  kind('float', 'FLOAT', ['1.1', '3.4028234e38', '-1.17549435e-38', '16777217', '0.1', '-0e0', '1e-45'], {
    same: 'v + 0e0',
  }),
  kind('float_p', 'FLOAT(10,3)', ['123.457', '9999.999', '-0.001'], { same: 'v + 0e0' }),
  kind(
    'double',
    'DOUBLE',
    [
      '0.1',
      '1.7976931348623157e308',
      '4.9406564584124654e-324',
      '-0e0',
      '123456789.123456789',
      '1e21',
      '9007199254740993',
    ],
    { same: 'HEX(CAST(v AS CHAR))' },
  ),
  kind('double_p', 'DOUBLE(20,5)', ['123456789012.12345', '-0.00001'], { same: 'HEX(CAST(v AS CHAR))' }),
];

/** HEX of a number is that of its integer part alone. */
const decimals: readonly Kind[] = [
  kind('dec65', 'DECIMAL(65,30)', [
    `${'1234567890'.repeat(3)}12345.${'123456789'.repeat(3)}123`,
    `-0.${'0'.repeat(29)}1`,
    '0',
    `-${'9'.repeat(35)}.${'9'.repeat(30)}`,
  ]),
  kind('dec_u', 'DECIMAL(20,2) UNSIGNED', ['0', '999999999999999999.99']),
  // Each number of digits before and behind the point takes another number of bytes.
  ...Array.from({ length: 10 }, (_, n) =>
    kind(`dec${n + 9}_${n}`, `DECIMAL(${n + 9},${n})`, [
      `123456789${n === 0 ? '' : `.${'123456789'.slice(0, n)}`}`,
      `-1${n === 0 ? '' : `.${'0'.repeat(n - 1)}1`}`,
      '0',
    ]),
  ),
  ...Array.from({ length: 8 }, (_, n) =>
    kind(`dec${n + 1}_0`, `DECIMAL(${n + 1},0)`, ['9'.repeat(n + 1), `-${'9'.repeat(n + 1)}`, '1', '0']),
  ),
  kind('dec9_9', 'DECIMAL(9,9)', ['-0.000000001', '0.999999999', '0']),
  kind('dec65_0', 'DECIMAL(65,0)', ['9'.repeat(65), `-${'9'.repeat(65)}`]),
  kind('dec30_30', 'DECIMAL(30,30)', [`0.${'9'.repeat(30)}`, `-0.${'0'.repeat(29)}1`]),
].map((one) => ({ ...one, same: 'CAST(v AS CHAR)' }));

const ZONED = "'2024-11-03 05:30:00.123456', '2024-11-03 06:30:00.654321'".split(', ');

const temporal: readonly Kind[] = [
  kind('date', 'DATE', ["'2024-02-29'", "'1000-01-01'", "'9999-12-31'", "'0001-01-01'"]),
  kind('date_zero', 'DATE', ["'0000-00-00'", "'2024-00-00'", "'2024-02-00'"], { lax: true }),
  ...[0, 1, 2, 3, 4, 5, 6].flatMap((digits) => {
    const fraction = digits === 0 ? '' : `.${'123456'.slice(0, digits)}`;
    const least = digits === 0 ? '' : `.${'0'.repeat(digits - 1)}1`;
    const most = digits === 0 ? '' : `.${'9'.repeat(digits)}`;
    return [
      kind(`datetime${digits}`, `DATETIME(${digits})`, [
        `'2024-03-10 02:30:00${fraction}'`,
        `'1000-01-01 00:00:00${least}'`,
        `'9999-12-31 23:59:59${most}'`,
        `'1969-12-31 23:59:59${most}'`,
      ]),
      kind(`timestamp${digits}`, `TIMESTAMP(${digits}) NULL`, [
        ...ZONED,
        `'1970-01-01 03:00:01${least}'`,
        `'2038-01-19 06:14:07'`,
      ]),
      kind(`time${digits}`, `TIME(${digits})`, [
        `'-838:59:58${most}'`,
        "'838:59:59'",
        "'00:00:00'",
        `'12:34:56${fraction}'`,
        `'-00:00:00${least}'`,
        "'-01:00:00.5'",
        "'-00:00:01'",
      ]),
    ];
  }),
  kind('datetime_zero', 'DATETIME(6)', ["'0000-00-00 00:00:00'", "'2024-00-00 12:00:00'"], { lax: true }),
  kind('timestamp_zero', 'TIMESTAMP(6) NULL', ["'0000-00-00 00:00:00'"], { lax: true }),
];

const CHARSETS: readonly (readonly [string, readonly string[]])[] = [
  ['utf8mb4', ["'abc'", "'日本😀'", "''", "'it''s \\\\'"]],
  ['latin1', ["_latin1 X'E9808182FF'", "'é'"]],
  ['utf16', ["'日本😀'"]],
  ['utf16le', ["'日本😀'"]],
  ['utf32', ["'日本😀'"]],
  ['ucs2', ["'日本'"]],
  ['sjis', ["'日本'", "_sjis X'835C'"]],
  ['cp932', ["'日本'"]],
  ['gbk', ["'日本'"]],
  ['big5', ["'日本'"]],
  ['ujis', ["'日本'"]],
  ['euckr', ["'가'"]],
  ['koi8r', ["'привет'"]],
  ['cp1251', ["'привет'"]],
  ['ascii', ["'abc'", "'\\0\\n'"]],
];

const strings: readonly Kind[] = [
  ...CHARSETS.flatMap(([charset, values]) => [
    kind(`varchar_${charset}`, `VARCHAR(50) CHARACTER SET ${charset}`, [...values, "'trail  '", "''"]),
    kind(`char_${charset}`, `CHAR(20) CHARACTER SET ${charset}`, values),
    kind(`text_${charset}`, `TEXT CHARACTER SET ${charset}`, values),
  ]),
  kind('char255', 'CHAR(255) CHARACTER SET utf8mb4', ["REPEAT('é', 255)", "REPEAT('😀', 255)", "''"]),
  kind('char_binary', 'CHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', ["'日本😀'", "' a'", "'tab\\t'"]),
  kind('varchar255', 'VARCHAR(255) CHARACTER SET latin1', ["REPEAT('x', 255)", "''"]),
  kind('varchar256', 'VARCHAR(256) CHARACTER SET latin1', ["REPEAT('x', 256)", "''"]),
  kind('varchar_long', 'VARCHAR(15000) CHARACTER SET utf8mb4', ["REPEAT('😀', 15000)"]),
  kind('text_long', 'TEXT CHARACTER SET utf8mb4', ["REPEAT('é', 20000)"]),
  kind('binary', 'BINARY(4)', ["X'00FF8000'", "X'AB000000'", "X'20'", "X'00000000'", "X'20202020'"]),
  kind('binary16', 'BINARY(16)', [
    `X'${'AB'.repeat(15)}00'`,
    `X'${'00'.repeat(16)}'`,
    `X'${'00'.repeat(15)}01'`,
  ]),
  kind('binary255', 'BINARY(255)', ["REPEAT(X'FF', 255)", "X''"]),
  kind('varbinary', 'VARBINARY(300)', ["X'00FFFE80C328'", "''", "X'0000'", "REPEAT(X'00', 300)"]),
  kind('tinyblob', 'TINYBLOB', ["X'C328'", "''"]),
  kind('blob', 'BLOB', ["X'00FFFE80C328'", "REPEAT(X'FF', 60000)"]),
  kind('mediumblob', 'MEDIUMBLOB', ["REPEAT(X'80', 100000)"]),
  kind('longblob', 'LONGBLOB', ["REPEAT(X'80', 100000)"]),
  kind('enum', "ENUM('a','b,c','it''s','日本')", ["'a'", "'b,c'", "'it''s'", "'日本'"], { same: 'v + 0' }),
  kind(
    'enum_many',
    `ENUM(${Array.from({ length: 300 }, (_, n) => `'m${n}'`).join(',')})`,
    ["'m0'", "'m299'"],
    { same: 'v + 0' },
  ),
  kind('enum_none', "ENUM('a','b')", ["''", "'nothing'"], { lax: true, same: 'v + 0' }),
  kind('set', "SET('a','b','c','日本')", ["'a,日本'", "''", "'a,b,c,日本'"], { same: 'v + 0' }),
  kind('set24', `SET(${Array.from({ length: 24 }, (_, n) => `'s${n}'`).join(',')})`, ["'s23'", "'s0'"], {
    same: 'v + 0',
  }),
  kind(
    'set64',
    `SET(${Array.from({ length: 64 }, (_, n) => `'s${n}'`).join(',')})`,
    ["'s63'", "'s0,s31,s32,s63'"],
    { same: 'HEX(v + 0)' },
  ),
  kind('geometry', 'GEOMETRY', [
    "ST_GeomFromText('POINT(1.5 -2.25)')",
    "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')",
  ]),
];

const own: readonly Kind[] = [
  kind('gb18030', 'VARCHAR(50) CHARACTER SET gb18030', ["'日本😀'"], { flavor: 'mysql' }),
  kind('point4326', 'POINT SRID 4326', ["ST_GeomFromText('POINT(10 20)', 4326)"], { flavor: 'mysql' }),
  kind('vector', 'VECTOR(4)', ["STRING_TO_VECTOR('[1.5,-2,3.25,0]')"], { flavor: 'mysql' }),
  kind('json_text', 'JSON', [`'{"a": 1,  "b":[1,2.50]}'`], { flavor: 'mariadb' }),
  kind(
    'uuid',
    'UUID',
    [
      "'123e4567-e89b-12d3-a456-426614174000'",
      "'00000000-0000-0000-0000-000000000000'",
      "'ffffffff-ffff-ffff-ffff-ffffffffffff'",
      "'0188b2a3-1000-7000-8000-000000000000'",
      "'f81d4fae-7dec-11d0-a765-000000000000'",
      "'f81d4fae-7dec-41d0-a765-00a0c91e6b00'",
    ],
    { flavor: 'mariadb', same: 'CAST(v AS CHAR)' },
  ),
  kind('inet6', 'INET6', ["'2001:db8::ff00:42:8329'", "'::'", "'2001:db8::'", "'::ffff:1.2.3.4'"], {
    flavor: 'mariadb',
    same: 'CAST(v AS CHAR)',
  }),
  kind('inet4', 'INET4', ["'192.168.0.1'", "'10.0.0.0'", "'0.0.0.0'"], {
    flavor: 'mariadb',
    same: 'CAST(v AS CHAR)',
  }),
];

export function kindsOf(flavor: Flavor): readonly Kind[] {
  return [...numbers, ...decimals, ...temporal, ...strings, ...own].filter(
    (one) => one.flavor === undefined || one.flavor === flavor,
  );
}
