import { serversAndModes } from '../support/available-modes';
import type { Feature } from '../support/features/feature';
import { itComesOutAsNative } from '../support/features/it-comes-out-as-native';
import { startServer, type RunningServer } from '../support/servers';

const row = (i: number): Record<string, string> => ({ a: String(i), v: `'v${i}'` });
const ID = 'id INT NOT NULL PRIMARY KEY';
const NUMBERS = `${ID}, a INT NULL, v VARCHAR(20) NOT NULL`;

/** Two rows of every turn take each other's value. */
const swapped = (turn: number): string[] => [
  `UPDATE ! SET a = -1 WHERE a = ${501 + turn}`,
  `UPDATE ! SET a = ${501 + turn} WHERE a = ${3000 + turn}`,
  `UPDATE ! SET a = ${3000 + turn} WHERE a = -1`,
];

const GENERATED: readonly Feature[] = [
  {
    what: 'generated columns, stored and virtual, in keys',
    columns: `${NUMBERS}, s INT AS (a * 2) STORED, w VARCHAR(30) AS (CONCAT(v, '-', a)) VIRTUAL, UNIQUE KEY by_s (s), KEY by_w (w), KEY both_of (w, s)`,
    row,
    alter: 'ADD COLUMN x INT NULL',
    after: ['INSERT INTO ! (id, a, v) VALUES (9000, 9000, 1)', "UPDATE ! SET v = 'new' WHERE s > 100"],
  },
  {
    what: 'generated columns that are added, in keys of their own',
    columns: NUMBERS,
    row,
    alter:
      'ADD COLUMN s BIGINT AS (a * 2) STORED AFTER id, ADD COLUMN w VARCHAR(30) AS (UPPER(v)) VIRTUAL, ADD UNIQUE KEY by_s (s), ADD INDEX by_w (w)',
    after: ['INSERT INTO ! (id, a, v) VALUES (9000, 9000, 1)'],
  },
  {
    what: 'generated columns that get another name',
    columns: `${NUMBERS}, s INT AS (a * 2) STORED, w INT AS (a + 1) VIRTUAL, KEY by_s (s)`,
    row,
    alter: 'RENAME COLUMN s TO twice, CHANGE w more INT AS (a + 1) VIRTUAL',
  },
  {
    what: 'a stored generated column that becomes an ordinary one',
    columns: `${NUMBERS}, s INT AS (a * 2) STORED`,
    row,
    alter: 'MODIFY s BIGINT NULL',
    unlast: true,
    after: ['INSERT INTO ! (id, a, v, s) VALUES (9000, 1, 1, 77)'],
  },
  {
    what: 'an ordinary column that becomes a stored generated one',
    columns: `${NUMBERS}, s INT NULL`,
    row: (i) => ({ ...row(i), s: '7' }),
    alter: 'MODIFY s INT AS (a * 3) STORED',
    unlast: true,
  },
  {
    what: 'a generated column whose expression changes',
    columns: `${NUMBERS}, s INT AS (a * 2) STORED, w INT AS (a + 1) VIRTUAL`,
    row,
    alter: 'MODIFY s INT AS (a * 5) STORED, MODIFY w INT AS (a + 9) VIRTUAL',
  },
  {
    what: 'a generated column over a generated one, and one that is dropped',
    columns: `${NUMBERS}, s INT AS (a * 2) STORED, t INT AS (s + 1) VIRTUAL, u INT AS (a) VIRTUAL`,
    row,
    alter: 'DROP COLUMN u, ADD COLUMN q INT AS (t * 2) VIRTUAL',
  },
  {
    what: 'UNIQUE keys over generated columns, whose values move between rows',
    columns: `${ID}, a INT NOT NULL, s INT AS (a * 2) STORED, w VARCHAR(20) AS (CONCAT('w', a)) VIRTUAL, UNIQUE KEY by_s (s), UNIQUE KEY by_w (w)`,
    row: (i) => ({ a: String(i) }),
    more: swapped,
    alter: 'ADD COLUMN x INT NULL',
  },
  {
    what: 'a functional index',
    ...{ only: 'mysql', lacks: 'MariaDB has no functional indexes' },
    columns: `${NUMBERS}, UNIQUE KEY sum_of ((a + 1)), KEY loud ((UPPER(v)))`,
    row,
    more: swapped,
    alter: 'ADD COLUMN x INT NULL, ADD INDEX half ((a DIV 2))',
  },
  {
    what: 'an index over the elements of a JSON array',
    ...{ only: 'mysql', lacks: 'MariaDB has no multi-valued indexes' },
    columns: `${ID}, j JSON NULL, KEY zips ((CAST(j->'$.zip' AS UNSIGNED ARRAY)))`,
    row: (i) => ({ j: `'{"zip": [${i}, ${i + 1}]}'` }),
    alter: 'ADD COLUMN x INT NULL',
    after: ["DELETE FROM ! WHERE 17 MEMBER OF (j->'$.zip')"],
  },
];

const DEFAULTS: readonly Feature[] = [
  {
    what: 'DEFAULT with an expression over other columns, for a new column',
    columns: NUMBERS,
    row,
    alter: 'ADD COLUMN z INT NULL DEFAULT (a * 2), ADD COLUMN y INT NOT NULL DEFAULT 3',
    after: ['INSERT INTO ! (id, a, v) VALUES (9000, 9000, 1)'],
  },
  {
    what: 'DEFAULT (uuid()) of a column that is there',
    columns: `${NUMBERS}, u VARCHAR(36) NOT NULL DEFAULT (uuid()), UNIQUE KEY by_u (u)`,
    row: (i) => ({ ...row(i), u: `'u${i}'` }),
    alter: 'ADD COLUMN x INT NULL',
  },
  {
    what: 'DEFAULT (uuid()) of a new column',
    ...{ only: 'mariadb', lacks: 'MySQL refuses it with 1674, natively as well' },
    columns: NUMBERS,
    row,
    alter: 'ADD COLUMN u VARCHAR(36) NOT NULL DEFAULT (uuid())',
    anew: ['u'],
  },
  {
    what: 'DEFAULT (uuid()) by way of a default that is set afterwards',
    columns: NUMBERS,
    row,
    alter: 'ADD COLUMN u VARCHAR(36) NULL',
    native: ['ALTER TABLE ! ADD COLUMN u VARCHAR(36) NULL'],
    after: ['ALTER TABLE ! ALTER COLUMN u SET DEFAULT (uuid())'],
  },
  {
    what: 'DEFAULT NEXT VALUE FOR a sequence, which goes on where it was',
    ...{ only: 'mariadb', lacks: 'MySQL has no sequences' },
    before: [
      'CREATE SEQUENCE numbers START WITH 20000',
      'CREATE SEQUENCE others START WITH 500 INCREMENT BY 3 NOCACHE',
    ],
    columns: `id INT NOT NULL DEFAULT NEXT VALUE FOR numbers PRIMARY KEY, a INT NULL, n BIGINT NOT NULL DEFAULT (NEXT VALUE FOR others), v VARCHAR(40) DEFAULT 'nextval(\`no\`.\`sequence\`)', UNIQUE KEY by_n (n)`,
    row: (i) => ({ a: String(i) }),
    alter: 'ADD COLUMN x INT NULL',
    after: ['INSERT INTO ! (id, a) VALUES (9000, 1)', 'INSERT INTO ! (a) VALUES (2), (3)'],
  },
  {
    what: 'DEFAULT NEXT VALUE FOR a sequence, of a new column',
    ...{ only: 'mariadb', lacks: 'MySQL has no sequences' },
    before: ['CREATE SEQUENCE numbers'],
    columns: NUMBERS,
    row,
    alter: 'ADD COLUMN n INT NOT NULL DEFAULT NEXT VALUE FOR numbers, ADD UNIQUE KEY by_n (n)',
    anew: ['n'],
  },
  {
    what: 'ON UPDATE CURRENT_TIMESTAMP, of which the copy is no update',
    // The application's clock, so that both tables are changed at the same moment.
    before: ['SET SESSION timestamp = 1700000000.5'],
    columns: `${NUMBERS}, changed DATETIME(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6), made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP`,
    row: (i) => ({
      ...row(i),
      changed: `'2001-02-03 04:05:06.${100000 + i}'`,
      made: "'2002-02-03 04:05:06'",
    }),
    alter: 'ADD COLUMN x INT NULL',
  },
];

const INVISIBLE: readonly Feature[] = [
  {
    what: 'invisible columns',
    columns: `${NUMBERS}, secret INT NOT NULL DEFAULT 5 INVISIBLE, other VARCHAR(10) NULL INVISIBLE, KEY by_secret (secret)`,
    row: (i) => ({ ...row(i), secret: String(i * 7), other: i % 3 === 0 ? 'NULL' : `'o${i}'` }),
    alter: 'ADD COLUMN x INT NULL, ADD COLUMN hidden INT NOT NULL DEFAULT 9 INVISIBLE',
    after: ["INSERT INTO ! VALUES (9000, 1, 'a', 2)"],
  },
  {
    what: 'an invisible column that is shown again',
    columns: `${NUMBERS}, secret INT NOT NULL DEFAULT 5 INVISIBLE`,
    row: (i) => ({ ...row(i), secret: String(i * 7) }),
    alter: 'MODIFY secret INT NOT NULL DEFAULT 5',
  },
];

const TYPES: readonly Feature[] = [
  {
    what: 'JSON, with what a text would not keep',
    columns: `${ID}, j JSON NULL, k JSON NOT NULL`,
    row: (i) => ({
      j: i % 4 === 0 ? 'NULL' : `JSON_OBJECT('n', ${i}, 'd', 1.10, 't', 'ä"\\\\')`,
      k: `JSON_ARRAY(${i}, CAST('2024-01-0${1 + (i % 9)}' AS DATE), NULL, TRUE)`,
    }),
    alter: "ADD COLUMN n INT AS (JSON_EXTRACT(j, '$.n')) STORED, ADD INDEX (n)",
  },
  {
    what: 'BIT of all widths',
    columns: `${ID}, b1 BIT(1) NOT NULL DEFAULT b'1', b9 BIT(9) NULL, b64 BIT(64) NOT NULL, KEY by_b (b9)`,
    row: (i) => ({
      b1: String(i % 2),
      b9: i % 5 === 0 ? 'NULL' : String(i % 512),
      b64: String(2n ** 63n - 8n + BigInt(i)),
    }),
    unlast: true,
    alter:
      "ADD COLUMN z BIT(3) NOT NULL, MODIFY b9 BIT(12) NULL, ADD COLUMN y BIT(4) NOT NULL DEFAULT b'101'",
  },
  {
    what: 'ENUM and SET that are sorted anew, with what is no member',
    columns: `${ID}, e ENUM('a', 'b,c', 'it''s', '(d)') NULL, s SET('x', 'y z', '\\\\') NULL`,
    row: (i) => ({
      e: i % 7 === 0 ? "'none'" : `'${['a', 'b,c', "it''s", '(d)'][i % 4]!}'`,
      s: `'${['x', 'y z', 'x,y z', '\\\\', ''][i % 5]!}'`,
    }),
    sqlMode: '',
    alter:
      "MODIFY e ENUM('(d)', 'new', 'it''s', 'b,c', 'a') NULL, MODIFY s SET('\\\\', 'q', 'y z', 'x') NULL",
  },
  {
    what: 'ENUM and SET that become VARCHAR, with what is no member',
    columns: `${ID}, e ENUM('a', 'b,c', 'it''s', '(d)') NULL, s SET('x', 'y z', '\\\\') NULL`,
    row: (i) => ({
      e: i % 7 === 0 ? "'none'" : `'${['a', 'b,c', "it''s", '(d)'][i % 4]!}'`,
      s: `'${['x', 'y z', 'x,y z', '\\\\', ''][i % 5]!}'`,
    }),
    sqlMode: '',
    alter: 'MODIFY e VARCHAR(10) NULL, MODIFY s VARCHAR(20) NULL',
    unlast: true,
  },
  {
    what: 'VARCHAR that becomes ENUM and SET',
    columns: `${ID}, e VARCHAR(10) NULL, s VARCHAR(10) NOT NULL`,
    row: (i) => ({
      e: i % 6 === 0 ? 'NULL' : `'${['a', 'B', 'c'][i % 3]!}'`,
      s: `'${['x', 'x,y', ''][i % 3]!}'`,
    }),
    alter: "MODIFY e ENUM('a', 'b', 'c') NULL, MODIFY s SET('y', 'x') NOT NULL",
  },
  {
    what: 'geometries of all kinds',
    columns: `${ID}, g GEOMETRY NULL, p POINT NOT NULL, l LINESTRING NULL, y POLYGON NULL`,
    row: (i) => ({
      g: i % 3 === 0 ? 'NULL' : `ST_GeomFromText('MULTIPOINT(${i} 1, 2 ${i})')`,
      p: `ST_GeomFromText('POINT(${i} ${-i})')`,
      l: `ST_GeomFromText('LINESTRING(0 0, ${i} 1.5)')`,
      y: `ST_GeomFromText('POLYGON((0 0, ${i} 0, ${i} ${i}, 0 0))')`,
    }),
    alter: 'ADD COLUMN q GEOMETRY NULL, MODIFY l GEOMETRY NULL',
  },
  {
    what: 'bytes that become points',
    columns: `${ID}, p VARBINARY(60) NOT NULL, q BLOB NULL`,
    row: (i) => ({
      p: `X'000000000101000000000000000000F03F${String(i).padStart(16, '0')}'`,
      q: i % 3 ? `X'000000000101000000${String(i).padStart(16, '0')}000000000000F03F'` : 'NULL',
    }),
    alter: 'MODIFY p POINT NOT NULL, MODIFY q GEOMETRY NULL',
    unlast: true,
  },
  {
    what: 'VECTOR',
    ...{ only: 'mysql', lacks: 'MariaDB 10.11 has no vectors' },
    columns: `${ID}, e VECTOR(3) NOT NULL, n VECTOR NULL`,
    row: (i) => ({
      e: `STRING_TO_VECTOR('[${i}, 0.1, -${i}.5]')`,
      n: i % 2 ? 'NULL' : "STRING_TO_VECTOR('[1]')",
    }),
    alter: 'ADD COLUMN w VECTOR(2) NULL, MODIFY e VECTOR(4) NOT NULL',
  },
  {
    what: 'UUID, INET4 and INET6',
    ...{ only: 'mariadb', lacks: 'MySQL has no such types' },
    columns: `${ID}, u UUID NOT NULL DEFAULT uuid(), i4 INET4 NULL, i6 INET6 NOT NULL, UNIQUE KEY by_u (u), KEY by_i (i6)`,
    row: (i) => ({
      u: `'00000000-0000-1000-8000-${String(i).padStart(12, '0')}'`,
      i4: i % 4 === 0 ? 'NULL' : `'10.0.${i >> 8}.${i & 255}'`,
      i6: `'2001:db8::${i.toString(16)}'`,
    }),
    alter: 'ADD COLUMN z INET6 NOT NULL, ADD COLUMN y UUID NOT NULL, ADD COLUMN x INET4 NOT NULL',
    unlast: true,
  },
  {
    what: 'UUID, INET4 and INET6 that become text and bytes',
    ...{ only: 'mariadb', lacks: 'MySQL has no such types' },
    columns: `${ID}, u UUID NOT NULL, w UUID NOT NULL, i4 INET4 NULL, i6 INET6 NOT NULL`,
    row: (i) => ({
      u: `'00000000-0000-1000-8000-${String(i).padStart(12, '0')}'`,
      w: `'12345678-0000-4000-8000-${String(i).padStart(12, '0')}'`,
      i4: i % 4 === 0 ? 'NULL' : `'10.0.${i >> 8}.${i & 255}'`,
      i6: `'2001:db8::${i.toString(16)}'`,
    }),
    alter:
      'MODIFY u CHAR(36) NOT NULL, MODIFY w BINARY(16) NOT NULL, MODIFY i4 VARCHAR(20) NULL, MODIFY i6 BINARY(16) NOT NULL',
    unlast: true,
  },
  {
    what: 'text and bytes that become UUID and INET6',
    ...{ only: 'mariadb', lacks: 'MySQL has no such types' },
    columns: `${ID}, u CHAR(36) NOT NULL, w BINARY(16) NOT NULL, i6 VARCHAR(50) NULL, j6 BINARY(16) NOT NULL`,
    row: (i) => ({
      u: `'00000000-0000-1000-8000-${String(i).padStart(12, '0')}'`,
      w: `X'${String(i).padStart(32, '0')}'`,
      i6: i % 4 === 0 ? 'NULL' : `'2001:db8::${i.toString(16)}'`,
      j6: `INET6_ATON('10::${i.toString(16)}')`,
    }),
    alter: 'MODIFY u UUID NOT NULL, MODIFY w UUID NOT NULL, MODIFY i6 INET6 NULL, MODIFY j6 INET6 NOT NULL',
  },
  {
    what: 'compressed columns',
    ...{ only: 'mariadb', lacks: 'MySQL compresses no single columns' },
    columns: `${ID}, c VARCHAR(1000) COMPRESSED NOT NULL, t TEXT COMPRESSED NULL, p TEXT NULL`,
    row: (i) => ({
      c: `REPEAT('c${i}', 100)`,
      t: i % 3 ? `REPEAT('t${i}', 300)` : 'NULL',
      p: `REPEAT('p', ${i})`,
    }),
    alter: 'MODIFY c VARCHAR(1000) NOT NULL, MODIFY p TEXT COMPRESSED NULL, ADD COLUMN x INT NULL',
  },
  {
    what: 'dates of zeros, and zeros in dates',
    columns: `${ID}, d DATE NOT NULL, t DATETIME NOT NULL, s TIMESTAMP NOT NULL DEFAULT '2001-01-01 00:00:00'`,
    row: (i) => ({
      d: ["'0000-00-00'", "'2024-00-00'", "'2024-02-03'"][i % 3]!,
      t: ["'0000-00-00 00:00:00'", "'2024-02-03 04:05:06'"][i % 2]!,
      s: ["'2024-02-03 04:05:06'", "'0000-00-00 00:00:00'"][i % 2]!,
    }),
    sqlMode: 'ALLOW_INVALID_DATES',
    alter: 'ADD COLUMN x INT NULL, MODIFY d DATETIME NOT NULL, MODIFY t DATETIME(3) NOT NULL',
  },
  {
    what: 'NULL that becomes NOT NULL, and the other way round',
    columns: `${ID}, a INT NULL, v VARCHAR(20) NOT NULL, d DATETIME NULL, t TEXT NULL`,
    row: (i) => ({ ...row(i), d: "'2024-02-03 04:05:06'", t: `'t${i}'` }),
    alter:
      'MODIFY a INT NOT NULL, MODIFY v VARCHAR(20) NULL, MODIFY d DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, MODIFY t TEXT NOT NULL',
    after: ['INSERT INTO ! (id, a, v, t) VALUES (9000, 1, NULL, 2)'],
    apart: ['d'],
  },
];

const CHANGES: readonly Feature[] = [
  {
    what: 'columns that are dropped out of indexes',
    columns: `${NUMBERS}, KEY both_of (a, v), KEY by_v (v), KEY three (v, a, id)`,
    row,
    alter: 'DROP COLUMN v',
    unlast: true,
  },
  {
    what: 'columns that are renamed in indexes and keys',
    columns: `${NUMBERS}, KEY both_of (a, v(3)), UNIQUE KEY by_v (v)`,
    row,
    alter: 'RENAME COLUMN v TO w, CHANGE a v BIGINT NULL, RENAME COLUMN id TO a',
    unlast: true,
  },
  {
    what: 'columns that are renamed in CHECKs and generated columns',
    ...{ only: 'mariadb', lacks: 'MySQL refuses it, natively as well' },
    columns: `${NUMBERS}, g INT AS (a + 1) STORED, CONSTRAINT small CHECK (a < 1000000)`,
    row,
    alter: 'RENAME COLUMN a TO b',
    unlast: true,
  },
  {
    what: 'a UNIQUE key over long text, whose values move between rows',
    ...{ only: 'mariadb', lacks: 'MySQL has none without a length' },
    columns: `${ID}, a INT NOT NULL, t TEXT NOT NULL, UNIQUE KEY by_t (t)`,
    row: (i) => ({ a: String(i), t: `CONCAT(REPEAT('long ', 1000), ${i})` }),
    more: (turn) => [
      ...swapped(turn),
      `UPDATE ! SET t = CONCAT('-', a) WHERE a IN (${501 + turn}, ${3000 + turn})`,
      `UPDATE ! SET t = CONCAT(REPEAT('long ', 1000), a) WHERE a IN (${501 + turn}, ${3000 + turn})`,
    ],
    alter: 'ADD COLUMN x INT NULL',
  },
  {
    what: 'a UNIQUE key over a prefix, whose values move between rows',
    columns: `${ID}, a INT NOT NULL, t VARCHAR(40) NOT NULL, UNIQUE KEY by_t (t(8))`,
    row: (i) => ({ a: String(i), t: `CONCAT(LPAD(${i}, 8, '0'), ' and more')` }),
    more: (turn) => [
      ...swapped(turn),
      `UPDATE ! SET t = CONCAT('-', a) WHERE a IN (${501 + turn}, ${3000 + turn})`,
      `UPDATE ! SET t = CONCAT(LPAD(a, 8, '0'), ' again') WHERE a IN (${501 + turn}, ${3000 + turn})`,
    ],
    alter: 'ADD COLUMN x INT NULL, ADD UNIQUE KEY shorter (t(8), a)',
  },
];

const CHARACTER_SETS: readonly Feature[] = [
  {
    what: 'latin1 that is converted to utf8mb4, TEXT and defaults included',
    columns: `${ID}, v VARCHAR(20) NOT NULL DEFAULT 'é', t TEXT NULL, e ENUM('o', 'p') NOT NULL, c CHAR(5) NOT NULL, KEY by_v (v)`,
    options: 'ENGINE = InnoDB DEFAULT CHARSET = latin1',
    row: (i) => ({
      v: `'é${i}'`,
      t: `REPEAT('ß', ${i % 100})`,
      e: `'${i % 2 ? 'o' : 'p'}'`,
      c: `'ç${i % 100}'`,
    }),
    alter: 'CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci',
  },
  {
    what: 'utf8mb4 that is converted to latin1, where everything fits',
    columns: `${ID}, v VARCHAR(20) NOT NULL, t TEXT NULL`,
    options: 'ENGINE = InnoDB DEFAULT CHARSET = utf8mb4',
    row: (i) => ({ v: `'é${i}'`, t: `'ü€${i}'` }),
    alter: 'CONVERT TO CHARACTER SET latin1',
  },
  {
    what: 'utf8mb3, ucs2, sjis and binary columns side by side',
    columns: `${ID}, u VARCHAR(20) CHARACTER SET utf8mb3 NOT NULL, w VARCHAR(20) CHARACTER SET ucs2 NOT NULL, s VARCHAR(20) CHARACTER SET sjis NOT NULL, b VARCHAR(20) CHARACTER SET binary NOT NULL`,
    row: (i) => ({
      u: `'ž${i}'`,
      w: `'ž${i}'`,
      s: `'ソ${i}'`,
      b: `X'FF00${(i % 256).toString(16).padStart(2, '0')}'`,
    }),
    alter:
      'MODIFY u VARCHAR(20) CHARACTER SET utf8mb4 NOT NULL, MODIFY w VARCHAR(20) CHARACTER SET utf8mb4 NOT NULL, MODIFY s TEXT CHARACTER SET utf8mb4 NOT NULL, ADD COLUMN x INT NULL',
  },
  {
    what: 'a collation that gets finer, under a unique key',
    columns: `${ID}, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL, UNIQUE KEY by_v (v)`,
    row: (i) => ({ v: `'${i % 2 ? 'É' : 'e'}${i}'` }),
    alter: 'MODIFY v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL',
    after: ["INSERT INTO ! (id, v) VALUES (9000, 'É2')"],
  },
  {
    what: 'a collation that gets coarser, under a unique key',
    columns: `${ID}, v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, UNIQUE KEY by_v (v)`,
    row: (i) => ({ v: `'${i % 2 ? 'É' : 'e'}${i}'` }),
    alter: 'MODIFY v VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci NOT NULL',
  },
];

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`columns of every kind on ${on}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    describe('generated', () => itComesOutAsNative(flavor, () => server, every(4, GENERATED)));
    describe('defaults', () => itComesOutAsNative(flavor, () => server, every(5, DEFAULTS)));
    describe('invisible', () => itComesOutAsNative(flavor, () => server, every(4, INVISIBLE)));
    describe('types', () => itComesOutAsNative(flavor, () => server, every(4, TYPES)));
    describe('changes', () => itComesOutAsNative(flavor, () => server, every(6, CHANGES)));
    describe('character sets', () => itComesOutAsNative(flavor, () => server, every(6, CHARACTER_SETS)));
  });
}
