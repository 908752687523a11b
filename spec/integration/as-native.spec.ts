import { expect } from 'chai';

import { availableFlavors, startServer, type Flavor, type RunningServer } from '../support/servers';
import { contentsOf, makeNativeTwin, shapeOf } from '../support/native-twin';
import { TestTable, type Options } from '../support/test-table';

/** A column of every kind, under a server whose time zone is not UTC. */
const COLUMNS = [
  'id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY',
  'a INT NULL',
  'u INT UNSIGNED NOT NULL DEFAULT 7',
  'n BIGINT NULL',
  'd DECIMAL(10,2) NULL',
  'f FLOAT NULL',
  'x DOUBLE NULL',
  'v VARCHAR(50) CHARACTER SET utf8mb4 NOT NULL',
  'l VARCHAR(50) CHARACTER SET latin1 NULL',
  'c CHAR(10) NULL',
  't TEXT NULL',
  'digits VARCHAR(20) NULL',
  'bin VARBINARY(20) NULL',
  "e ENUM('red','green','blue') NULL",
  "s SET('x','y','z') NULL",
  'dt DATETIME NULL',
  'ms DATETIME(6) NULL',
  'ts TIMESTAMP NULL',
  'da DATE NULL',
  'ti TIME NULL',
  'y YEAR NULL',
  'j JSON NULL',
  'b BIT(8) NULL',
  'twice INT AS (a * 2) VIRTUAL',
  "loud VARCHAR(60) AS (CONCAT(v, '!')) STORED",
  'KEY by_a (a)',
  'KEY by_v (v(10))',
  'UNIQUE KEY by_digits (digits)',
].join(', ');

interface Case {
  readonly alter: string;
  readonly values?: Readonly<Record<string, string>>;
  readonly only?: Flavor;
  /** It drops parts of values without an error, which has to be wanted. */
  readonly lossy?: boolean;
}

const lossy = (alter: string): Case => ({ alter, lossy: true });

const ALTERS: readonly (string | Case)[] = [
  'ADD COLUMN z INT NULL',
  'ADD COLUMN z INT NOT NULL',
  'ADD COLUMN z INT NOT NULL DEFAULT 42 FIRST',
  'ADD COLUMN z VARCHAR(20) NOT NULL AFTER v',
  "ADD COLUMN z VARCHAR(20) NOT NULL DEFAULT 'it''s', ADD INDEX (z)",
  "ADD COLUMN z TIMESTAMP NOT NULL DEFAULT '2024-01-01 12:00:00'",
  "ADD COLUMN z DATETIME NOT NULL DEFAULT '2024-01-01 12:00:00'",
  "ADD COLUMN z ENUM('p','q') NOT NULL",
  'ADD COLUMN z INT AS (a + n) VIRTUAL, ADD INDEX (z)',
  'ADD COLUMN z DECIMAL(20,2) AS (d * 2) STORED',
  'ADD COLUMN y1 INT, ADD COLUMN y2 INT, ADD COLUMN y3 INT AFTER a',
  'DROP COLUMN t',
  'DROP COLUMN twice, DROP COLUMN loud',
  'DROP COLUMN a, DROP COLUMN twice, ADD COLUMN a VARCHAR(10) NULL',
  'MODIFY a BIGINT NULL',
  'MODIFY u BIGINT UNSIGNED NOT NULL',
  'MODIFY u INT UNSIGNED NULL',
  'MODIFY n INT NULL',
  'MODIFY d DECIMAL(14,4) NULL',
  lossy('MODIFY d DECIMAL(10,1) NULL'),
  'MODIFY d DOUBLE NULL',
  'MODIFY a DECIMAL(12,2) NULL',
  'MODIFY a VARCHAR(20) NULL',
  'MODIFY f DOUBLE NULL',
  'MODIFY x VARCHAR(40) NULL',
  'MODIFY f VARCHAR(40) NULL',
  lossy('MODIFY x DECIMAL(20,4) NULL'),
  'MODIFY v VARCHAR(300) CHARACTER SET utf8mb4 NOT NULL',
  'MODIFY v TEXT CHARACTER SET utf8mb4 NOT NULL',
  'MODIFY l VARCHAR(50) CHARACTER SET utf8mb4 NULL',
  'MODIFY v VARCHAR(50) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL',
  'MODIFY l VARBINARY(50) NULL',
  'MODIFY bin VARBINARY(40) NULL',
  'MODIFY c VARCHAR(10) NULL',
  'MODIFY c CHAR(20) NULL',
  'MODIFY t MEDIUMTEXT NULL',
  'MODIFY digits INT NULL',
  'MODIFY digits BIGINT NULL, DROP INDEX by_digits',
  'MODIFY digits DECIMAL(20,4) NULL',
  "MODIFY e ENUM('blue','green','red','black') NULL",
  'MODIFY e VARCHAR(20) NULL',
  "MODIFY s SET('z','y','x','w') NULL",
  'MODIFY s VARCHAR(20) NULL',
  'MODIFY ts DATETIME NULL',
  'MODIFY dt TIMESTAMP NULL',
  lossy('MODIFY ts DATE NULL'),
  'MODIFY ts VARCHAR(30) NULL',
  lossy('MODIFY ms DATETIME(3) NULL'),
  lossy('MODIFY ms DATETIME NULL'),
  'MODIFY ms TIMESTAMP(6) NULL',
  'MODIFY da DATETIME NULL',
  'MODIFY da VARCHAR(20) NULL',
  lossy('MODIFY dt DATE NULL'),
  'MODIFY ti TIME(3) NULL',
  'MODIFY y VARCHAR(10) NULL',
  'MODIFY y INT NULL',
  'MODIFY j TEXT NULL',
  'MODIFY b BIGINT UNSIGNED NULL',
  'MODIFY a INT NOT NULL DEFAULT 3',
  'ALTER COLUMN u SET DEFAULT 9',
  'CHANGE a aa INT NULL, DROP COLUMN twice',
  'CHANGE v n VARCHAR(60) CHARACTER SET utf8mb4 NOT NULL, CHANGE n v BIGINT NULL, DROP COLUMN loud, DROP INDEX by_v',
  'RENAME COLUMN dt TO ms, RENAME COLUMN ms TO dt',
  'MODIFY a INT NULL FIRST, MODIFY v VARCHAR(50) CHARACTER SET utf8mb4 NOT NULL AFTER y',
  'ADD INDEX (v, a), DROP INDEX by_a',
  'RENAME INDEX by_a TO by_another',
  'ADD UNIQUE KEY one (id, a)',
  'ADD FULLTEXT KEY words (v, t)',
  'DROP PRIMARY KEY, ADD PRIMARY KEY (id, u)',
  'ADD CONSTRAINT positive CHECK (u > 0)',
  "COMMENT = 'with ) ENGINE=InnoDB AUTO_INCREMENT=5 in it'",
  'ROW_FORMAT = COMPRESSED',
  'CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci',
  'DEFAULT CHARACTER SET latin1',
  'AUTO_INCREMENT = 5000',
  'ENGINE = InnoDB',
  'FORCE',
  { alter: 'ADD COLUMN z DATE NULL', values: { z: 'DATE(ts)' } },
  { alter: 'ADD COLUMN z VARCHAR(90) NULL', values: { z: "CONCAT(v, '-', a)" } },
  { alter: 'ALTER COLUMN a SET INVISIBLE', only: 'mysql' },
  { alter: 'MODIFY a INT INVISIBLE NULL', only: 'mariadb' },
  { alter: 'ALTER INDEX by_a INVISIBLE', only: 'mysql' },
  { alter: 'ADD INDEX ((UPPER(v)))', only: 'mysql' },
  { alter: 'MODIFY j JSON NOT NULL DEFAULT (JSON_ARRAY())', only: 'mysql' },
];

/** Row `i` of many, as SQL. */
function row(i: number): string {
  const maybe = (sql: string): string => (i % 7 === 3 ? 'NULL' : sql);
  return `(${[
    maybe(String(i * 31 - 400)),
    String(i * 1000 + 1),
    maybe(String(i * 100_003)),
    maybe(`${i}.25`),
    maybe(`${i} + 0.1`),
    maybe(`${i} / 3`),
    `CONCAT('Zoë ${i} ', _utf8mb4 X'F09F9880')`,
    maybe(`CONCAT(_latin1 X'E9', '${i}')`),
    maybe(`'c${i}'`),
    maybe(`REPEAT('text ${i} ', ${i})`),
    maybe(`'${i + 10}'`),
    maybe(`X'00${String(i).padStart(2, '0')}FF'`),
    maybe(`'${['red', 'green', 'blue'][i % 3]!}'`),
    maybe(`'${['x', 'y,z', 'x,z', ''][i % 4]!}'`),
    maybe(`'2024-0${1 + (i % 9)}-1${i % 9} 2${i % 4}:30:00'`),
    maybe(`'2024-0${1 + (i % 9)}-1${i % 9} 10:20:30.${String(i * 12_345).padStart(6, '0')}'`),
    maybe(`'2024-0${1 + (i % 9)}-1${i % 9} 0${i % 4}:30:00'`),
    maybe(`'2024-0${1 + (i % 9)}-1${i % 9}'`),
    maybe(`'-12:0${i % 9}:00'`),
    i % 7 === 3 ? 'NULL' : i % 5 === 0 ? '0' : `20${String(i).padStart(2, '0')}`,
    maybe(`'{"n": ${i}, "t": "x"}'`),
    maybe(String(i)),
  ].join(', ')})`;
}

const NAMES = 'a, u, n, d, f, x, v, l, c, t, digits, bin, e, s, dt, ms, ts, da, ti, y, j, b';

for (const flavor of availableFlavors()) {
  describe(`a migration beside a native ALTER on ${flavor}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { args: ['--default-time-zone=+05:00'] })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server, { columns: COLUMNS });
      const rows = Array.from({ length: 40 }, (_, i) => row(i));
      await test.query(`INSERT INTO emails (${NAMES}) VALUES ${rows.join(', ')}`);
    });
    afterEach(() => test.drop());

    /** What an application does: changes, moves, deletes and inserts, in every chunk. */
    async function write(): Promise<void> {
      await test.query(
        "UPDATE emails SET a = a + 1, v = CONCAT(v, '~'), ts = ts + INTERVAL 1 HOUR, e = 'green' WHERE id % 3 = 0",
      );
      await test.query('DELETE FROM emails WHERE id IN (5, 23)');
      await test.query('UPDATE emails SET id = 900 WHERE id = 17');
      await test.query(`INSERT INTO emails (${NAMES}) VALUES ${row(60)}, ${row(61)}`);
      await test.query("REPLACE INTO emails (id, v, digits, a, j) VALUES (8, 'replaced', '12', 1, '[]')");
    }

    for (const given of ALTERS) {
      const { alter, values, only, lossy = false } = typeof given === 'string' ? { alter: given } : given;
      if (only !== undefined && only !== flavor) continue;
      it(`${alter}${values ? ` with ${JSON.stringify(values)}` : ''}: the same definition and rows`, async () => {
        // A value for those in which NULL does not fit, so that the change can be made at all.
        if (/MODIFY [aj] .* NOT NULL/.test(alter)) {
          await test.query("UPDATE emails SET a = COALESCE(a, 1), j = COALESCE(j, '[]')");
        }
        const options: Options = {
          chunk: { rows: 7 },
          verify: { rows: 9 },
          columns: { ...(values && { values }), allowDataLoss: lossy },
          hooks: { afterRowCopy: write },
        };
        const { oldTable, verified, changesApplied } = await test.migrate(alter, options);
        expect(verified.notCompared).to.equal(0);
        expect(changesApplied).to.be.above(10);

        // Names of CHECKs are unique in a schema on MySQL.
        await makeNativeTwin(test, oldTable!, alter.replace('positive', 'native_positive'));
        for (const [column, sql] of Object.entries(values ?? {})) {
          await test.query(`UPDATE native SET ${column} = ${sql}`);
        }
        expect(await shapeOf(test, 'emails')).to.equal(await shapeOf(test, 'native'));
        if (alter.startsWith('AUTO_INCREMENT')) {
          expect(await test.definition()).to.contain('AUTO_INCREMENT=5000');
        }
        expect(await contentsOf(test, 'emails')).to.deep.equal(await contentsOf(test, 'native'));
      });
    }
  });
}
