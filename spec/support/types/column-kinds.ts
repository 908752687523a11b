import { kindsOf, type Kind } from '../binlog/kinds';
import type { Flavor } from '../servers';

const kind = (name: string, type: string, values: readonly string[], more: Partial<Kind> = {}): Kind => ({
  name,
  type,
  values,
  ...more,
});

const BITS = [2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 49, 63];
const JSON_SAME = "CONCAT(JSON_TYPE(v), JSON_TYPE(JSON_EXTRACT(v, '$.t')), HEX(CAST(v AS CHAR)))";

/** Those that a migration need not read the values of, because none of them is in a key, but has to find the end of. */
const more: readonly Kind[] = [
  ...BITS.map((n) =>
    kind(`bit${n}`, `BIT(${n})`, [`b'${'1'.repeat(n)}'`, "b'0'", `b'1${'0'.repeat(n - 1)}'`], {
      same: 'HEX(v + 0)',
    }),
  ),
  // Fractions of more than one group of nine digits.
  ...Array.from({ length: 10 }, (_, n) =>
    kind(
      `dec${n + 18}_${n + 9}`,
      `DECIMAL(${n + 18},${n + 9})`,
      [`999999999.${'9'.repeat(n + 9)}`, `-0.${'0'.repeat(n + 8)}1`],
      { same: 'CAST(v AS CHAR)' },
    ),
  ),
  kind('tinytext', 'TINYTEXT', ["REPEAT('x', 255)", "''", "'  '"]),
  kind('mediumtext', 'MEDIUMTEXT', ["REPEAT('x', 65536)", "''", "'é '"]),
  kind('longtext', 'LONGTEXT', ["REPEAT('x', 70000)", "''", "'😀 '"]),
  kind('blob_edge', 'BLOB', ["REPEAT(X'00', 256)", "REPEAT(X'FF', 65535)", "X'20'"]),
  kind('char_blanks', 'CHAR(9) CHARACTER SET latin1', ["'a  '", "'  a'", "''"]),
  kind('set9', `SET(${Array.from({ length: 9 }, (_, n) => `'s${n}'`).join(',')})`, ["'s8'", "'s0,s8'"], {
    same: 'v + 0',
  }),
  kind('polygon', 'POLYGON', ["ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0))')"]),
  kind(
    'json',
    'JSON',
    [
      `'{"a":1,"b":[1,2.5,"x",null,true],"c":{"d":"日本😀"}}'`,
      ...["'[]'", `'"text"'`, "'null'", "'18446744073709551615'", "'9007199254740993'", "'1.0'", "'1e100'"],
      "JSON_OBJECT('t', CAST('2024-01-01 10:11:12.123456' AS DATETIME(6)))",
      "JSON_OBJECT('t', CAST('1.10' AS DECIMAL(10,2)))",
      "JSON_OBJECT('t', CAST(X'FF00' AS BINARY))",
      `JSON_OBJECT('a', 1, 't', REPEAT('x', 70000))`,
      `CONCAT(REPEAT('[', 90), REPEAT(']', 90))`,
    ],
    { flavor: 'mysql', same: JSON_SAME },
  ),
  kind(
    'json_more',
    'JSON',
    [`JSON_OBJECT('a', 1, 't', REPEAT('y', 300), 'b', JSON_ARRAY(1, 2, 3))`, `'{"t": {"t": 1.10}}'`],
    { flavor: 'mysql', same: JSON_SAME },
  ),
  kind('vector_long', 'VECTOR(1024)', [`STRING_TO_VECTOR(CONCAT('[', REPEAT('1.5,', 1023), '-2]'))`], {
    flavor: 'mysql',
  }),
  kind('json_of_text', 'JSON', [`'{"a": 1,  "b":[1,2.50]}'`, "'18446744073709551615'"], {
    flavor: 'mariadb',
  }),
  kind('packed', 'VARCHAR(1000) COMPRESSED', ["REPEAT('日本', 100)", "'x'", "''"], { flavor: 'mariadb' }),
  kind('packed_blob', 'BLOB COMPRESSED', ["REPEAT(X'FF', 1000)", "X'00'"], { flavor: 'mariadb' }),
];

/** By names that are columns' as well. */
export function columnKindsOf(flavor: Flavor): readonly Kind[] {
  const own = more.filter((one) => (one.flavor ?? flavor) === flavor);
  return [...kindsOf(flavor), ...own].map((one) => ({ ...one, name: `k_${one.name}` }));
}
