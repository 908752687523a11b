import { expect } from 'chai';
import fc from 'fast-check';
import { Refusal } from '../../lib/errors';
import { alterStringToStatement } from '../../lib/schema/alter-string';
import { retargetBindings } from '../../lib/schema/retarget-bindings';
import { retargetStatement, type RetargetTarget } from '../../lib/schema/retarget-statement';

const target: RetargetTarget = { schema: 'app', origin: 'emails', ghost: 'emails_lhmn' };
const GHOST = '`app`.`emails_lhmn`';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return 'no refusal';
}

describe('retargetStatement', () => {
  const retargeted: [sql: string, kind: string, result: string][] = [
    ['ALTER TABLE emails ADD a INT', 'alter', `ALTER TABLE ${GHOST} ADD a INT`],
    ['alter table `emails` add a int', 'alter', `alter table ${GHOST} add a int`],
    ['ALTER TABLE emails_lhmn ADD a INT', 'alter', `ALTER TABLE ${GHOST} ADD a INT`],
    ['ALTER TABLE app.emails ADD a INT', 'alter', 'ALTER TABLE app.`emails_lhmn` ADD a INT'],
    ['ALTER TABLE `app` . `emails` ADD a INT', 'alter', 'ALTER TABLE `app` . `emails_lhmn` ADD a INT'],
    ['ALTER TABLE emails(a) ', 'alter', `ALTER TABLE ${GHOST}(a) `],
    [
      'ALTER TABLE IF EXISTS emails WAIT 5 ADD a INT',
      'alter',
      `ALTER TABLE IF EXISTS ${GHOST} WAIT 5 ADD a INT`,
    ],
    ['ALTER TABLE emails NOWAIT ADD a INT', 'alter', `ALTER TABLE ${GHOST} NOWAIT ADD a INT`],
    ['ALTER ONLINE TABLE emails ADD a INT', 'alter', `ALTER  TABLE ${GHOST} ADD a INT`],
    [
      '/* emails */ ALTER TABLE emails -- emails\n ADD emails INT',
      'alter',
      `/* emails */ ALTER TABLE ${GHOST} -- emails\n ADD emails INT`,
    ],
    ["ALTER TABLE emails COMMENT 'x, rename to y'", 'alter', `ALTER TABLE ${GHOST} COMMENT 'x, rename to y'`],
    [
      "ALTER TABLE emails ADD a VARCHAR(9) DEFAULT 'it''s; \\' emails'",
      'alter',
      `ALTER TABLE ${GHOST} ADD a VARCHAR(9) DEFAULT 'it''s; \\' emails'`,
    ],
    [
      'ALTER TABLE emails ADD a CHAR(36) DEFAULT (uuid());',
      'alter',
      `ALTER TABLE ${GHOST} ADD a CHAR(36) DEFAULT (uuid());`,
    ],
    [
      'ALTER TABLE emails ADD a INT /*!80023 INVISIBLE */',
      'alter',
      `ALTER TABLE ${GHOST} ADD a INT /*!80023 INVISIBLE */`,
    ],
    ['ALTER TABLE emails FORCE', 'alter', `ALTER TABLE ${GHOST} FORCE`],
    [
      'ALTER TABLE emails RENAME COLUMN a TO b, RENAME INDEX c TO d',
      'alter',
      `ALTER TABLE ${GHOST} RENAME COLUMN a TO b, RENAME INDEX c TO d`,
    ],
    [
      'ALTER TABLE emails ADD PARTITION (PARTITION p VALUES IN (1))',
      'alter',
      `ALTER TABLE ${GHOST} ADD PARTITION (PARTITION p VALUES IN (1))`,
    ],
    // ALGORITHM and LOCK
    [
      'ALTER TABLE emails ADD a INT, ALGORITHM=INPLACE, LOCK=NONE',
      'alter',
      `ALTER TABLE ${GHOST} ADD a INT  `,
    ],
    ['ALTER TABLE emails ALGORITHM=INSTANT, ADD a INT', 'alter', `ALTER TABLE ${GHOST}  ADD a INT`],
    [
      'ALTER TABLE emails ADD a INT, LOCK = NONE, ADD b INT',
      'alter',
      `ALTER TABLE ${GHOST} ADD a INT,    ADD b INT`,
    ],
    [
      'ALTER TABLE emails ADD a INT /*!50600 , ALGORITHM=INPLACE */',
      'alter',
      `ALTER TABLE ${GHOST} ADD a INT /*!50600   */`,
    ],
    [
      "ALTER TABLE emails COMMENT 'ALGORITHM=COPY', ADD `lock` INT",
      'alter',
      `ALTER TABLE ${GHOST} COMMENT 'ALGORITHM=COPY', ADD \`lock\` INT`,
    ],
    // indexes
    ['CREATE INDEX i ON emails (a)', 'create-index', `CREATE INDEX i ON ${GHOST} (a)`],
    [
      'CREATE UNIQUE INDEX emails USING BTREE ON `emails`(a, b) LOCK=NONE',
      'create-index',
      `CREATE UNIQUE INDEX emails USING BTREE ON ${GHOST}(a, b) `,
    ],
    [
      'CREATE FULLTEXT INDEX i ON app.emails (a) ALGORITHM COPY',
      'create-index',
      'CREATE FULLTEXT INDEX i ON app.`emails_lhmn` (a)  ',
    ],
    [
      'CREATE OR REPLACE INDEX IF NOT EXISTS i ON emails (a)',
      'create-index',
      `CREATE OR REPLACE INDEX IF NOT EXISTS i ON ${GHOST} (a)`,
    ],
    ['DROP INDEX i ON emails', 'drop-index', `DROP INDEX i ON ${GHOST}`],
    [
      'DROP INDEX IF EXISTS `on` ON emails_lhmn ALGORITHM=INPLACE',
      'drop-index',
      `DROP INDEX IF EXISTS \`on\` ON ${GHOST} `,
    ],
    // reads
    ['SELECT * FROM emails', 'read', 'SELECT * FROM emails'],
    ['SELECT * FROM emails LIMIT 1 FOR UPDATE', 'read', 'SELECT * FROM emails LIMIT 1 FOR UPDATE'],
    [
      "(SELECT replace(a, 'x', insert('a', 1, 1, 'b')) FROM emails) UNION (SELECT 1)",
      'read',
      "(SELECT replace(a, 'x', insert('a', 1, 1, 'b')) FROM emails) UNION (SELECT 1)",
    ],
    ['WITH x AS (SELECT 1) SELECT * FROM x', 'read', 'WITH x AS (SELECT 1) SELECT * FROM x'],
    ['SHOW CREATE TABLE emails', 'read', `SHOW CREATE TABLE ${GHOST}`],
    ['SHOW CREATE TABLE orgs', 'read', 'SHOW CREATE TABLE orgs'],
    [
      'show full fields from `emails` where field = ?',
      'read',
      `show full fields from ${GHOST} where field = ?`,
    ],
    ['SHOW EXTENDED FULL COLUMNS IN emails', 'read', `SHOW EXTENDED FULL COLUMNS IN ${GHOST}`],
    ['SHOW INDEX FROM emails FROM app', 'read', 'SHOW INDEX FROM `emails_lhmn` FROM app'],
    ['SHOW KEYS FROM emails FROM other', 'read', 'SHOW KEYS FROM emails FROM other'],
    ['SHOW COLUMNS FROM other.emails', 'read', 'SHOW COLUMNS FROM other.emails'],
    ['SHOW VARIABLES', 'read', 'SHOW VARIABLES'],
    ['DESCRIBE emails', 'read', `DESCRIBE ${GHOST}`],
    ['DESC emails a', 'read', `DESC ${GHOST} a`],
    ['EXPLAIN SELECT * FROM emails', 'read', 'EXPLAIN SELECT * FROM emails'],
    ['SET @x = 1, SESSION foreign_key_checks = 0', 'set', 'SET @x = 1, SESSION foreign_key_checks = 0'],
    ['SET sql_mode = @@GLOBAL.sql_mode', 'set', 'SET sql_mode = @@GLOBAL.sql_mode'],
  ];
  for (const [sql, kind, result] of retargeted) {
    it(`retargets ${sql}`, () => {
      expect(retargetStatement(sql, target)).to.include({ sql: result, kind });
    });
  }

  const refused: [code: string, ...statements: string[]][] = [
    [
      'LHM_ALTER_OTHER_TABLE',
      'ALTER TABLE orgs ADD a INT',
      'ALTER TABLE Emails ADD a INT',
      'ALTER TABLE other.emails ADD a INT',
      'ALTER TABLE emails.orgs ADD a INT',
      'ALTER TABLE def.app.emails ADD a INT',
      "ALTER TABLE 'emails' ADD a INT",
      'ALTER TABLE "emails" ADD a INT',
      'ALTER TABLE emails2 ADD a INT',
      'CREATE INDEX emails ON orgs (a)',
      'DROP INDEX emails ON orgs',
      'DROP INDEX emails',
    ],
    [
      'LHM_ALTER_RENAMES_TABLE',
      'RENAME TABLE emails TO x',
      'rename tables a to b, c to d',
      'ALTER TABLE emails RENAME TO x',
      'ALTER TABLE emails ADD a INT, RENAME x',
      "ALTER TABLE emails ADD a INT COMMENT 'x', rename `x`",
    ],
    [
      'LHM_ALTER_CHANGES_NOTHING',
      'ALTER TABLE emails',
      'ALTER TABLE emails ALGORITHM=COPY',
      'ALTER TABLE emails LOCK=NONE, ALGORITHM=INPLACE;',
    ],
    [
      'LHM_ALTER_UNSUPPORTED',
      '',
      ' -- nothing',
      'ALTER IGNORE TABLE emails ADD UNIQUE (a)',
      'ALTER ONLINE IGNORE TABLE emails ADD UNIQUE (a)',
      'ALTER /*!50000 IGNORE */ TABLE emails ADD UNIQUE (a)',
      'ALTER TABLE emails EXCHANGE PARTITION p WITH TABLE t',
      'ALTER TABLE emails CONVERT PARTITION p TO TABLE t',
      'ALTER TABLE emails DISCARD TABLESPACE',
      'ALTER TABLE emails IMPORT PARTITION p TABLESPACE',
      'ALTER TABLE emails DROP PARTITION p0, p1',
      'ALTER TABLE emails TRUNCATE PARTITION ALL',
      'ALTER TABLE emails ADD a INT; DROP TABLE emails',
      'ALTER TABLE emails ADD a INT; ALTER TABLE emails ADD b INT',
      "ALTER TABLE emails COMMENT 'x",
      'ALTER TABLE emails ADD a INT /* x',
      'ALTER TABLE emails ADD a INT /*! x',
      'ALTER VIEW emails AS SELECT 1',
      'ALTER DATABASE app CHARACTER SET utf8mb4',
      'CREATE TABLE emails (a INT)',
      'CREATE TRIGGER t BEFORE INSERT ON emails FOR EACH ROW SET @x = 1',
      'DROP TABLE emails',
      'DROP TRIGGER t',
      'TRUNCATE TABLE emails',
      'RENAME USER a TO b',
      'INSERT INTO emails VALUES (1)',
      'UPDATE emails SET a = 1',
      'DELETE FROM emails',
      'REPLACE INTO emails VALUES (1)',
      'WITH x AS (SELECT 1) DELETE FROM emails',
      'EXPLAIN ANALYZE DELETE FROM emails',
      "SELECT * FROM emails INTO OUTFILE '/tmp/x'",
      'CALL p()',
      'LOCK TABLES emails WRITE',
      'USE other',
      'BEGIN',
      'COMMIT',
      'SET GLOBAL read_only = 1',
      'SET @x = 1, GLOBAL read_only = 1',
      'SET @@GLOBAL.read_only = 1',
      'SET PERSIST max_connections = 5',
      "SET PASSWORD = 'x'",
      'SET STATEMENT max_statement_time = 1 FOR ALTER TABLE orgs ADD a INT',
      // which of the two happens depends on the server
      'ALTER TABLE emails ADD a INT /*!80000 , DROP b */',
      'ALTER TABLE emails RENAME /*!80000 COLUMN a TO */ b',
      'ALTER TABLE emails /*M!100000 DROP a */ /*!80000 FORCE */',
      '/*!40000 ALTER TABLE emails DISABLE KEYS */',
    ],
  ];
  for (const [code, ...statements] of refused) {
    for (const sql of statements) {
      it(`refuses ${sql} with ${code}`, () => {
        // Read as code this one renames a column; skipped, it would rename the table.
        expect(codeOf(() => retargetStatement(sql, target))).to.equal(code);
      });
    }
  }

  it('understands ANSI_QUOTES and NO_BACKSLASH_ESCAPES', () => {
    expect(retargetStatement('ALTER TABLE "emails" ADD a INT', target, { ansiQuotes: true }).sql).to.equal(
      `ALTER TABLE ${GHOST} ADD a INT`,
    );
    const sql = "ALTER TABLE emails COMMENT 'C:\\', RENAME TO x";
    expect(codeOf(() => retargetStatement(sql, target, { noBackslashEscapes: true }))).to.equal(
      'LHM_ALTER_RENAMES_TABLE',
    );
    expect(codeOf(() => retargetStatement(sql, target))).to.equal('LHM_ALTER_UNSUPPORTED');
  });

  it('reports the clauses, without those it took out', () => {
    const { clauses } = retargetStatement('ALTER TABLE emails ADD a INT, DROP b, ALGORITHM=COPY', target);
    expect(clauses.map(({ kind }) => kind)).to.deep.equal(['add-column', 'drop-column']);
    expect(retargetStatement('CREATE UNIQUE INDEX i ON emails (a)', target).clauses).to.deep.include({
      kind: 'add-index',
      type: 'unique',
      name: 'i',
      start: 0,
      end: 35,
    });
  });

  it("shows people the origin's name", () => {
    const { readable } = retargetStatement('ALTER TABLE emails_lhmn ADD a INT, LOCK=NONE', target);
    expect(readable).to.equal('ALTER TABLE `emails` ADD a INT ');
  });

  it('translates the names of constraints', () => {
    const constraintNames = new Map([['positive', 'positive_lhmn']]);
    const retarget = (clauses: string): string =>
      retargetStatement(`ALTER TABLE emails ${clauses}`, { ...target, constraintNames }).sql.slice(
        `ALTER TABLE ${GHOST} `.length,
      );
    expect(retarget('DROP CHECK positive')).to.equal('DROP CHECK `positive_lhmn`');
    expect(retarget('DROP CONSTRAINT `Positive`, ADD a INT')).to.equal(
      'DROP CONSTRAINT `positive_lhmn`, ADD a INT',
    );
    expect(retarget('ALTER CHECK positive NOT ENFORCED')).to.equal(
      'ALTER CHECK `positive_lhmn` NOT ENFORCED',
    );
    expect(retarget('DROP CHECK positive, ADD CONSTRAINT positive CHECK (a > 1)')).to.equal(
      'DROP CHECK `positive_lhmn`, ADD CONSTRAINT `positive_lhmn` CHECK (a > 1)',
    );
    expect(retarget('DROP CHECK other')).to.equal('DROP CHECK other');
    expect(retarget('ADD INDEX positive (a)')).to.equal('ADD INDEX positive (a)');
  });

  it('quotes names with backticks in them', () => {
    const odd = { schema: 'a`p', origin: 'e`mails', ghost: 'e`mails_lhmn' };
    expect(retargetStatement('ALTER TABLE `e``mails` FORCE', odd).sql).to.equal(
      'ALTER TABLE `a``p`.`e``mails_lhmn` FORCE',
    );
  });

  it('either retargets any text or refuses it', () => {
    const pieces = fc.constantFrom(
      ...[
        'ALTER ',
        'TABLE ',
        'emails ',
        '`emails` ',
        'ADD ',
        'DROP ',
        'INDEX ',
        'ON ',
        'a ',
        ', ',
        '(',
        ')',
        '; ',
        "'x' ",
      ],
      ...[
        '/*!80000 ',
        '*/ ',
        '/* x */ ',
        'RENAME ',
        'COLUMN ',
        'TO ',
        'SHOW ',
        'FROM ',
        'SET ',
        'CREATE ',
        'ALGORITHM=',
        "'",
      ],
    );
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        const sql = parts.join('');
        expect(codeOf(() => retargetStatement(sql, target))).to.match(/^LHM_ALTER_|^no refusal$/);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('alterStringToStatement', () => {
  const cases: [text: string, sql: string][] = [
    [
      'ADD COLUMN x INT, ADD INDEX (x)',
      `ALTER TABLE \`app\`.\`emails_lhmn\` ADD COLUMN x INT, ADD INDEX (x)`,
    ],
    ['ALTER x SET DEFAULT 1', 'ALTER TABLE `app`.`emails_lhmn` ALTER x SET DEFAULT 1'],
    ['ENGINE=InnoDB', 'ALTER TABLE `app`.`emails_lhmn` ENGINE=InnoDB'],
    ['DROP INDEX i', 'ALTER TABLE `app`.`emails_lhmn` DROP INDEX i'],
    ['ALTER TABLE emails ADD x INT', 'ALTER TABLE `app`.`emails_lhmn` ADD x INT'],
    ['alter online table emails add x int;', 'alter  table `app`.`emails_lhmn` add x int;'],
    ['CREATE INDEX i ON emails (a)', 'CREATE INDEX i ON `app`.`emails_lhmn` (a)'],
    ['DROP INDEX i ON emails', 'DROP INDEX i ON `app`.`emails_lhmn`'],
  ];
  for (const [text, sql] of cases) {
    it(`reads ${text}`, () => {
      expect(alterStringToStatement(text, target).sql).to.equal(sql);
    });
  }

  const refused: [text: string, code: string][] = [
    ['', 'LHM_ALTER_CHANGES_NOTHING'],
    ['ALGORITHM=COPY', 'LHM_ALTER_CHANGES_NOTHING'],
    ['RENAME TO x', 'LHM_ALTER_RENAMES_TABLE'],
    ['RENAME TABLE a TO b', 'LHM_ALTER_RENAMES_TABLE'],
    ['ALTER TABLE orgs ADD x INT', 'LHM_ALTER_OTHER_TABLE'],
    ['ALTER IGNORE TABLE emails ADD x INT', 'LHM_ALTER_UNSUPPORTED'],
    ['ADD x INT; DROP TABLE emails', 'LHM_ALTER_UNSUPPORTED'],
    ['DROP TABLE emails', 'LHM_ALTER_UNSUPPORTED'],
    ['UPDATE emails SET a = 1', 'LHM_ALTER_UNSUPPORTED'],
  ];
  for (const [text, code] of refused) {
    it(`refuses ${text || 'an empty string'}`, () => {
      expect(codeOf(() => alterStringToStatement(text, target))).to.equal(code);
    });
  }
});

describe('retargetBindings', () => {
  it("replaces the table's name in questions to information_schema", () => {
    const sql =
      'select * from information_schema.columns where table_name = ? and table_schema = ? and column_name = ?';
    expect(retargetBindings(sql, ['emails', 'app', 'emails'], target)).to.deep.equal([
      'emails_lhmn',
      'app',
      'emails',
    ]);
    const refs =
      'SELECT 1 FROM INFORMATION_SCHEMA.X AS K WHERE K.`REFERENCED_TABLE_NAME` = ? AND K.TABLE_NAME IN (?, ?)';
    expect(retargetBindings(refs, ['emails', 'orgs', 'emails'], target)).to.deep.equal([
      'emails_lhmn',
      'orgs',
      'emails_lhmn',
    ]);
  });

  it('leaves all else alone', () => {
    expect(retargetBindings('SELECT * FROM emails WHERE table_name = ?', ['emails'], target)).to.deep.equal([
      'emails',
    ]);
    expect(retargetBindings('SELECT ?', [1], target)).to.deep.equal([1]);
  });
});
