import { serversAndModes } from '../support/available-modes';
import type { Feature } from '../support/features/feature';
import { itComesOutAsNative } from '../support/features/it-comes-out-as-native';
import { startServer, type Flavor, type RunningServer } from '../support/servers';

const row = (i: number): Record<string, string> => ({ a: String(i), v: `'v${i}'` });
const COLUMNS = 'id INT NOT NULL PRIMARY KEY, a INT NULL, v VARCHAR(20) NOT NULL';
const ADD = 'ADD COLUMN x INT NULL';

/** MySQL: names of CHECKs are unique in a schema, and the old table keeps them. */
const copies = (native: string, flavor: Flavor): string =>
  flavor === 'mariadb'
    ? native
    : native.replace(/CONSTRAINT `(positive|it's ``odd)`/g, 'CONSTRAINT `$1_lhmn`');

const PARTITIONS: readonly Feature[] = [
  {
    what: 'partitions by RANGE, between which rows move',
    columns: COLUMNS,
    options:
      "ENGINE = InnoDB PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (20) COMMENT = 'it''s', PARTITION p1 VALUES LESS THAN (1000), PARTITION rest VALUES LESS THAN MAXVALUE)",
    row,
    alter: ADD,
  },
  {
    what: 'partitions by LIST COLUMNS, of a key that is not in front',
    columns:
      'id INT NOT NULL, r VARCHAR(5) NOT NULL, a INT NULL, v VARCHAR(20) NOT NULL, PRIMARY KEY (r, id), KEY by_id (id)',
    options:
      "ENGINE = InnoDB PARTITION BY LIST COLUMNS (r) (PARTITION north VALUES IN ('a', 'b'), PARTITION south VALUES IN ('c', ''))",
    row: (i) => ({ ...row(i), r: `'${['a', 'b', 'c', ''][i % 4]!}'` }),
    alter: `${ADD}, ADD INDEX (r, a)`,
  },
  {
    what: 'partitions with subpartitions',
    columns: 'id INT NOT NULL, d DATE NOT NULL, v VARCHAR(20) NOT NULL, PRIMARY KEY (id, d)',
    options:
      'ENGINE = InnoDB PARTITION BY RANGE (YEAR(d)) SUBPARTITION BY HASH (id) SUBPARTITIONS 2 (PARTITION old VALUES LESS THAN (2020), PARTITION new VALUES LESS THAN MAXVALUE)',
    row: (i) => ({ v: `'v${i}'`, d: `'20${15 + (i % 10)}-01-02'` }),
    alter: ADD,
  },
  {
    what: 'partitions by KEY that become others',
    columns: COLUMNS,
    options: 'ENGINE = InnoDB PARTITION BY KEY (id) PARTITIONS 3',
    row,
    alter: `${ADD} PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (30), PARTITION p1 VALUES LESS THAN MAXVALUE)`,
  },
  {
    what: 'partitions that are taken away',
    columns: COLUMNS,
    options: 'ENGINE = InnoDB PARTITION BY HASH (id) PARTITIONS 3',
    row,
    alter: `${ADD} REMOVE PARTITIONING`,
  },
  {
    what: 'partitions that are added to a table without',
    columns: COLUMNS,
    row,
    alter: 'PARTITION BY HASH (id) PARTITIONS 4',
  },
  {
    what: 'a partition that is added',
    columns: COLUMNS,
    options:
      'ENGINE = InnoDB PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (30), PARTITION p1 VALUES LESS THAN (5000))',
    row,
    alter: 'ADD PARTITION (PARTITION p2 VALUES LESS THAN (9000))',
  },
  {
    what: 'partitions that are divided anew',
    columns: COLUMNS,
    options:
      'ENGINE = InnoDB PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (30), PARTITION p1 VALUES LESS THAN MAXVALUE)',
    row,
    alter:
      'REORGANIZE PARTITION p0, p1 INTO (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (2000), PARTITION c VALUES LESS THAN MAXVALUE)',
  },
  {
    what: 'fewer partitions by HASH',
    columns: COLUMNS,
    options: 'ENGINE = InnoDB PARTITION BY LINEAR HASH (id) PARTITIONS 5',
    row,
    alter: 'COALESCE PARTITION 2',
  },
];

const ROW_FORMATS: readonly Feature[] = [
  ...['REDUNDANT', 'COMPACT', 'DYNAMIC', 'COMPRESSED KEY_BLOCK_SIZE = 4'].map((format) => ({
    what: `ROW_FORMAT = ${format}`,
    columns: `${COLUMNS}, t MEDIUMTEXT NULL, KEY by_t (t(100))`,
    options: `ENGINE = InnoDB ROW_FORMAT = ${format}`,
    row: (i: number) => ({ ...row(i), t: `REPEAT('long ${i} ', ${(i % 7) * 1500})` }),
    alter: ADD,
  })),
  {
    what: 'a table that becomes compressed',
    columns: `${COLUMNS}, t MEDIUMTEXT NULL`,
    row: (i) => ({ ...row(i), t: `REPEAT('long ${i} ', ${(i % 7) * 1500})` }),
    alter: 'ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8',
  },
  {
    what: 'a table that is no longer compressed',
    columns: `${COLUMNS}, t MEDIUMTEXT NULL`,
    options: 'ENGINE = InnoDB ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 8',
    row: (i) => ({ ...row(i), t: `REPEAT('long ${i} ', ${(i % 7) * 1500})` }),
    alter: 'ROW_FORMAT = DYNAMIC KEY_BLOCK_SIZE = 0',
  },
  {
    what: 'page compression',
    ...{ only: 'mariadb', lacks: 'MySQL writes it COMPRESSION' },
    columns: COLUMNS,
    options: 'ENGINE = InnoDB PAGE_COMPRESSED = 1 PAGE_COMPRESSION_LEVEL = 3',
    row,
    alter: ADD,
  },
  {
    what: 'page compression, as MySQL has it',
    ...{ only: 'mysql', lacks: 'MariaDB writes it PAGE_COMPRESSED' },
    columns: COLUMNS,
    options: "ENGINE = InnoDB COMPRESSION = 'zlib'",
    row,
    alter: ADD,
  },
  {
    what: 'options for statistics and sizes, and those that are changed',
    columns: COLUMNS,
    options:
      'ENGINE = InnoDB STATS_PERSISTENT = 1 STATS_AUTO_RECALC = 0 STATS_SAMPLE_PAGES = 30 MIN_ROWS = 5 MAX_ROWS = 70000 AVG_ROW_LENGTH = 100 CHECKSUM = 1 DELAY_KEY_WRITE = 1 PACK_KEYS = 1',
    row,
    alter: 'STATS_SAMPLE_PAGES = 12, MAX_ROWS = 90000, ADD COLUMN x INT',
  },
  {
    what: 'attributes of columns that no engine here uses',
    ...{ only: 'mysql', lacks: 'MariaDB has none of them' },
    columns:
      'id INT NOT NULL PRIMARY KEY, a INT NULL COLUMN_FORMAT DYNAMIC STORAGE DISK, v VARCHAR(20) NOT NULL COLUMN_FORMAT FIXED',
    options: 'ENGINE = InnoDB AUTOEXTEND_SIZE = 4M',
    row,
    alter: ADD,
  },
];

const COMMENTS: readonly Feature[] = [
  {
    what: 'comments with quotes, backslashes, line feeds and emoji',
    columns: `id INT NOT NULL PRIMARY KEY COMMENT 'it''s "the" \\\\key\\\\', a INT NULL COMMENT 'a, b) ENGINE=x; -- /* no', v VARCHAR(20) NOT NULL COMMENT 'line\nfeed \`q\`', KEY by_a (a) COMMENT 'CHECK (a), ''x'''`,
    options: `ENGINE = InnoDB COMMENT = 'the\\n"table" isn''t \\\\ AUTO_INCREMENT=7 ! ü'`.replace('!', ''),
    row,
    alter: `ADD COLUMN x INT NULL COMMENT 'rename to y, drop column a'`,
  },
  {
    what: 'comments that are changed and taken away',
    columns: `id INT NOT NULL PRIMARY KEY, a INT NULL COMMENT 'old', v VARCHAR(20) NOT NULL COMMENT 'gone'`,
    options: "ENGINE = InnoDB COMMENT = 'before'",
    row,
    alter: `MODIFY a INT NULL COMMENT 'ne\\\\w ''one''', MODIFY v VARCHAR(20) NOT NULL, COMMENT = 'after'`,
  },
];

const CHECKS: readonly Feature[] = [
  {
    what: 'CHECKs without names, of columns and of the table',
    columns:
      "id INT NOT NULL PRIMARY KEY CHECK (id > 0), a INT NULL CHECK (a < 100000), v VARCHAR(20) NOT NULL, CHECK (v <> 'it''s CHECK (1)'), CHECK (a IS NULL OR a > -1)",
    row,
    alter: 'ADD COLUMN x INT NULL CHECK (x > 5), ADD CHECK (a <> 77777)',
  },
  {
    what: 'CHECKs with names',
    columns: `${COLUMNS}, CONSTRAINT positive CHECK (a > 0), CONSTRAINT \`it's \`\`odd\` CHECK (v <> 'no')`,
    row,
    alter: ADD,
    otherwise: copies,
  },
  {
    what: 'CHECKs that are dropped, added and made anew under their names',
    columns: `${COLUMNS}, CONSTRAINT positive CHECK (a > 0), CONSTRAINT emails_chk_7 CHECK (a > -7), CONSTRAINT small CHECK (a < 100000)`,
    row,
    alter:
      'DROP CONSTRAINT small, DROP CONSTRAINT emails_chk_7, ADD CONSTRAINT emails_chk_7 CHECK (a > -8), ADD CONSTRAINT brand_new CHECK (a < 200000)',
    otherwise: copies,
  },
  {
    what: 'CHECKs and defaults with constants that the server folds',
    columns: `${COLUMNS}, b BIGINT NOT NULL DEFAULT (-(-4)), CHECK (b > -1000000), CHECK (b <> - -77777777), CHECK (b <> b'11111111111111111111'), CHECK (v <> N'no')`,
    row: (i) => ({ ...row(i), b: String(i) }),
    alter: 'MODIFY a BIGINT NULL, ADD CHECK (a > -5), ADD COLUMN g INT AS (a > -7) STORED',
    folded: true,
  },
  {
    what: 'a CHECK that is not enforced, with rows that break it',
    ...{ only: 'mysql', lacks: 'MariaDB enforces every CHECK' },
    columns: `${COLUMNS}, CHECK (a > 1000000) NOT ENFORCED, CONSTRAINT emails_chk_9 CHECK (a > 0)`,
    row,
    alter: `${ADD}, ALTER CHECK emails_chk_9 NOT ENFORCED`,
  },
];

const COUNTERS: readonly Feature[] = [
  {
    what: 'AUTO_INCREMENT with gaps, and an id 0',
    columns: 'id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT NULL, v VARCHAR(20) NOT NULL',
    options: 'ENGINE = InnoDB AUTO_INCREMENT = 7000',
    counter: true,
    row,
    sqlMode: 'NO_AUTO_VALUE_ON_ZERO',
    more: (turn) => (turn === 0 ? ["INSERT INTO ! VALUES (0, 0, 'zero')"] : []),
    alter: ADD,
    after: [
      "INSERT INTO ! (a, v) VALUES (1, 'next'), (2, 'one')",
      "INSERT INTO ! (a, v) VALUES (3, 'after')",
    ],
  },
  {
    what: 'AUTO_INCREMENT whose last numbers were given out and deleted',
    columns: 'id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT NULL, v VARCHAR(20) NOT NULL',
    counter: true,
    row,
    more: (turn) => [
      `INSERT INTO ! VALUES (${8000 + turn * 10}, 0, 'late')`,
      `DELETE FROM ! WHERE id = ${8000 + turn * 10}`,
    ],
    alter: 'MODIFY id BIGINT NOT NULL AUTO_INCREMENT, ADD COLUMN x INT',
    after: ["INSERT INTO ! (a, v) VALUES (1, 'next'), (2, 'one')"],
  },
  {
    what: 'AUTO_INCREMENT of a column that is not the key',
    columns:
      'id INT NOT NULL PRIMARY KEY, n INT NOT NULL AUTO_INCREMENT UNIQUE, a INT NULL, v VARCHAR(20) NOT NULL',
    row: (i) => ({ ...row(i), n: String(i * 3) }),
    alter: ADD,
    after: ["INSERT INTO ! (id, a, v) VALUES (9001, 1, 'next'), (9002, 2, 'one')"],
  },
  {
    what: 'AUTO_INCREMENT that is taken away',
    columns: 'id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT NULL, v VARCHAR(20) NOT NULL',
    row,
    alter: 'MODIFY id INT NOT NULL',
  },
  {
    what: 'AUTO_INCREMENT of a column that was there without',
    columns: 'id INT NOT NULL PRIMARY KEY, a INT NULL, v VARCHAR(20) NOT NULL',
    row,
    alter: 'MODIFY id INT NOT NULL AUTO_INCREMENT',
    after: ["INSERT INTO ! (a, v) VALUES (1, 'next')"],
  },
  {
    what: 'AUTO_INCREMENT of a new column, which numbers the rows',
    columns: COLUMNS,
    row,
    alter: 'ADD COLUMN n INT NOT NULL AUTO_INCREMENT, ADD UNIQUE KEY by_n (n)',
    anew: ['n'],
    numbered: true,
  },
];

const INDEXES: readonly Feature[] = [
  {
    what: 'FULLTEXT indexes, which find what they should',
    columns: `${COLUMNS}, t TEXT NULL, FULLTEXT KEY words (v, t), FULLTEXT KEY word (t)`,
    row: (i) => ({ ...row(i), t: `'common word${i} text'` }),
    alter: 'ADD COLUMN x INT NULL, ADD FULLTEXT KEY again (v)',
    after: [
      "DELETE FROM ! WHERE MATCH (t) AGAINST ('word508' IN BOOLEAN MODE)",
      "UPDATE ! SET a = 1 WHERE MATCH (v, t) AGAINST ('word42' IN BOOLEAN MODE)",
    ],
  },
  {
    what: 'a FULLTEXT index with a parser',
    ...{ only: 'mysql', lacks: 'MariaDB has no ngram parser' },
    columns: `${COLUMNS}, t TEXT NULL, FULLTEXT KEY words (t) WITH PARSER ngram`,
    row: (i) => ({ ...row(i), t: `'東京${i}都'` }),
    alter: ADD,
    after: ["DELETE FROM ! WHERE MATCH (t) AGAINST ('京508' IN BOOLEAN MODE)"],
  },
  {
    what: 'SPATIAL indexes',
    columns: `${COLUMNS}, p POINT NOT NULL, SPATIAL KEY by_p (p)`,
    row: (i) => ({ ...row(i), p: `ST_GeomFromText('POINT(${i % 90} ${i % 50})')` }),
    alter: 'ADD COLUMN x INT NULL, DROP INDEX by_p, ADD SPATIAL INDEX where_ (p)',
    after: ["DELETE FROM ! WHERE MBRContains(ST_GeomFromText('POLYGON((0 0, 20 0, 20 20, 0 20, 0 0))'), p)"],
  },
  {
    what: 'a SPATIAL index over points of a spatial reference system, which is given to another column, too',
    ...{ only: 'mysql', lacks: 'MariaDB writes it REF_SYSTEM_ID, and checks nothing' },
    columns: `${COLUMNS}, p POINT NOT NULL SRID 4326, q POINT NOT NULL, SPATIAL KEY by_p (p)`,
    row: (i) => ({
      ...row(i),
      p: `ST_GeomFromText('POINT(${i % 90} ${i % 50})', 4326)`,
      q: `ST_GeomFromText('POINT(${i % 90} 1)', 4326)`,
    }),
    alter: 'ADD COLUMN x INT NULL, MODIFY q POINT NOT NULL SRID 4326, ADD SPATIAL INDEX by_q (q)',
  },
  {
    what: 'prefixes, descending parts, comments, invisible indexes',
    columns: `${COLUMNS}, t TEXT NULL, KEY by_t (t(7), a DESC), UNIQUE KEY by_v (v DESC) COMMENT 'x'`,
    row: (i) => ({ ...row(i), t: `'text${i}'` }),
    alter: 'ADD UNIQUE KEY odd (t(20), a), ADD INDEX (a DESC, v(3)), RENAME INDEX by_t TO `by ``t`',
  },
];

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`options, indexes and constraints of every kind on ${on}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    describe('partitions', () => itComesOutAsNative(flavor, () => server, every(3, PARTITIONS)));
    describe('row formats', () => itComesOutAsNative(flavor, () => server, every(9, ROW_FORMATS)));
    describe('comments', () => itComesOutAsNative(flavor, () => server, every(9, COMMENTS)));
    describe('CHECKs', () => itComesOutAsNative(flavor, () => server, every(9, CHECKS)));
    describe('counters', () => itComesOutAsNative(flavor, () => server, every(4, COUNTERS)));
    describe('indexes', () => itComesOutAsNative(flavor, () => server, every(4, INDEXES)));
  });
}
