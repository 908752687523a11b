import { expect } from 'chai';
import fc from 'fast-check';
import { parseAlterClauses, type AlterClause } from '../../lib/schema/alter-clauses';

/** Kind and facts, without the offsets. */
function facts(clause: AlterClause): Record<string, unknown> {
  const copy: Record<string, unknown> = { ...clause };
  for (const key of ['start', 'end', 'nameSpan']) Reflect.deleteProperty(copy, key);
  return copy;
}

const column = (...names: string[]): object => ({ kind: 'add-column', names, ifNotExists: false });
const other = { kind: 'other' };
const fk = { kind: 'add-foreign-key', name: null };

describe('parseAlterClauses', () => {
  const cases: [sql: string, ...clauses: object[]][] = [
    // columns
    ['ADD COLUMN a INT', column('a')],
    ['add a int', column('a')],
    ['ADD `key` INT AFTER b', column('key')],
    ['ADD COLUMN a INT, ADD b INT', column('a'), column('b')],
    ["ADD a ENUM('x, rename to y', 'z'), ADD b INT", column('a'), column('b')],
    ["ADD a INT COMMENT 'x, rename to y'", column('a')],
    ['ADD a INT /* , DROP b */', column('a')],
    ['ADD a DECIMAL(10, 2) DEFAULT (ROUND(1.5, 1))', column('a')],
    ['ADD (a INT, b DECIMAL(5, 2))', column('a', 'b')],
    [
      'ADD COLUMN (a INT, b INT), DROP c',
      column('a', 'b'),
      { kind: 'drop-column', name: 'c', ifExists: false },
    ],
    ['ADD (a INT, KEY k (a))', column('a'), { kind: 'add-index', type: 'index', name: 'k' }],
    ['ADD (a INT, CONSTRAINT c CHECK (a > 0))', column('a'), { kind: 'add-constraint', name: 'c' }],
    ['ADD (a INT, FOREIGN KEY (a) REFERENCES t (id))', column('a'), fk],
    ['ADD COLUMN IF NOT EXISTS a INT', { kind: 'add-column', names: ['a'], ifNotExists: true }],
    ['ADD IF NOT EXISTS (a INT, b INT)', { kind: 'add-column', names: ['a', 'b'], ifNotExists: true }],
    ['ADD COLUMN system INT', column('system')],
    ['ADD period INT', column('period')],
    ['ADD a INT GENERATED ALWAYS AS (b + 1) STORED', column('a')],
    ['ADD a INT PRIMARY KEY AUTO_INCREMENT', column('a')],
    ['DROP a', { kind: 'drop-column', name: 'a', ifExists: false }],
    ['DROP COLUMN IF EXISTS `a`', { kind: 'drop-column', name: 'a', ifExists: true }],
    ['DROP a CASCADE', { kind: 'drop-column', name: 'a', ifExists: false }],
    ['DROP COLUMN period', { kind: 'drop-column', name: 'period', ifExists: false }],
    ['DROP system', { kind: 'drop-column', name: 'system', ifExists: false }],
    ['RENAME COLUMN a TO b', { kind: 'rename-column', from: 'a', to: 'b', ifExists: false }],
    ['RENAME COLUMN IF EXISTS a TO b', { kind: 'rename-column', from: 'a', to: 'b', ifExists: true }],
    ['CHANGE a b INT', { kind: 'change-column', from: 'a', to: 'b', ifExists: false }],
    [
      'CHANGE COLUMN IF EXISTS `a` `b` VARCHAR(5)',
      { kind: 'change-column', from: 'a', to: 'b', ifExists: true },
    ],
    ['CHANGE emails.a b INT', { kind: 'change-column', from: 'a', to: 'b', ifExists: false }],
    ['MODIFY a BIGINT NOT NULL', { kind: 'modify-column', name: 'a', ifExists: false }],
    ['MODIFY COLUMN IF EXISTS a BIGINT', { kind: 'modify-column', name: 'a', ifExists: true }],
    ['ALTER a SET DEFAULT 5', { kind: 'alter-column', name: 'a', ifExists: false }],
    ['ALTER COLUMN a DROP DEFAULT', { kind: 'alter-column', name: 'a', ifExists: false }],
    ['ALTER COLUMN a SET DEFAULT (CONCAT(b, c))', { kind: 'alter-column', name: 'a', ifExists: false }],
    // indexes
    ['ADD INDEX i (a)', { kind: 'add-index', type: 'index', name: 'i' }],
    ['ADD KEY (a, b)', { kind: 'add-index', type: 'index', name: null }],
    ['ADD INDEX USING HASH (a)', { kind: 'add-index', type: 'index', name: null }],
    ['ADD INDEX IF NOT EXISTS i (a)', { kind: 'add-index', type: 'index', name: 'i' }],
    ['ADD UNIQUE u (a)', { kind: 'add-index', type: 'unique', name: 'u' }],
    ['ADD UNIQUE INDEX (a)', { kind: 'add-index', type: 'unique', name: null }],
    ['ADD CONSTRAINT c UNIQUE (a)', { kind: 'add-index', type: 'unique', name: 'c' }],
    ['ADD CONSTRAINT UNIQUE KEY u (a)', { kind: 'add-index', type: 'unique', name: 'u' }],
    ['ADD PRIMARY KEY (a)', { kind: 'add-index', type: 'primary', name: null }],
    ['ADD CONSTRAINT c PRIMARY KEY (a)', { kind: 'add-index', type: 'primary', name: 'c' }],
    ['ADD FULLTEXT f (a)', { kind: 'add-index', type: 'fulltext', name: 'f' }],
    ['ADD SPATIAL INDEX (a)', { kind: 'add-index', type: 'spatial', name: null }],
    ['ADD VECTOR INDEX v (a)', { kind: 'add-index', type: 'vector', name: 'v' }],
    ['ADD vector VECTOR(3)', column('vector')],
    ['DROP INDEX i', { kind: 'drop-index', name: 'i', ifExists: false }],
    ['DROP KEY IF EXISTS i', { kind: 'drop-index', name: 'i', ifExists: true }],
    ['DROP INDEX `PRIMARY`', { kind: 'drop-primary-key' }],
    ['DROP PRIMARY KEY', { kind: 'drop-primary-key' }],
    ['RENAME INDEX i TO j', { kind: 'rename-index', from: 'i', to: 'j' }],
    ['RENAME KEY i TO j', { kind: 'rename-index', from: 'i', to: 'j' }],
    ['ALTER INDEX i INVISIBLE', other],
    // constraints
    ['ADD FOREIGN KEY (a) REFERENCES t (id)', fk],
    ['ADD CONSTRAINT c FOREIGN KEY i (a) REFERENCES t (id) ON DELETE CASCADE', { ...fk, name: 'c' }],
    ['ADD CONSTRAINT FOREIGN KEY (a) REFERENCES t (id)', fk],
    ['ADD a INT REFERENCES t (id)', column('a'), fk],
    ['MODIFY a INT REFERENCES t (id)', { kind: 'modify-column', name: 'a', ifExists: false }, fk],
    ['CHANGE a b INT REFERENCES t (id)', { kind: 'change-column', from: 'a', to: 'b', ifExists: false }, fk],
    ["ADD a INT COMMENT 'REFERENCES t'", column('a')],
    ['ADD `references` INT', column('references')],
    ['DROP FOREIGN KEY f', { kind: 'drop-foreign-key', name: 'f', ifExists: false }],
    ['ADD CHECK (a > 0)', { kind: 'add-constraint', name: null }],
    ['ADD CONSTRAINT CHECK (a > 0)', { kind: 'add-constraint', name: null }],
    ['ADD CONSTRAINT IF NOT EXISTS c CHECK (a > 0)', { kind: 'add-constraint', name: 'c' }],
    ['DROP CHECK c', { kind: 'drop-check-or-constraint', name: 'c', ifExists: false }],
    ['DROP CONSTRAINT IF EXISTS c', { kind: 'drop-check-or-constraint', name: 'c', ifExists: true }],
    ['ALTER CHECK c NOT ENFORCED', { kind: 'alter-check', name: 'c' }],
    ['ALTER CONSTRAINT c ENFORCED', { kind: 'alter-check', name: 'c' }],
    // the table
    ['RENAME x', { kind: 'rename-table', to: 'x' }],
    ['RENAME TO x', { kind: 'rename-table', to: 'x' }],
    ['RENAME AS s.x', { kind: 'rename-table', to: 'x' }],
    ['RENAME = x', { kind: 'rename-table', to: 'x' }],
    [
      'ALGORITHM=INPLACE, LOCK NONE',
      ...[
        ['ALGORITHM', 'INPLACE'],
        ['LOCK', 'NONE'],
      ].map(([option, value]) => ({ kind: 'algorithm-or-lock', option, value })),
    ],
    ['ENGINE=InnoDB', { kind: 'engine', engine: 'InnoDB' }],
    [
      "ENGINE InnoDB AUTO_INCREMENT = 7 COMMENT='a, b' DEFAULT CHARACTER SET utf8mb4",
      { kind: 'engine', engine: 'InnoDB' },
      { kind: 'auto-increment', value: '7' },
      other,
      other,
    ],
    ['UNION=(a, b) ENGINE=MERGE', other, { kind: 'engine', engine: 'MERGE' }],
    ["DATA DIRECTORY='/x' ENGINE=InnoDB", other, { kind: 'engine', engine: 'InnoDB' }],
    ['ROW_FORMAT=COMPRESSED, ADD a INT', other, column('a')],
    ['AUTO_INCREMENT 100', { kind: 'auto-increment', value: '100' }],
    [
      'CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
      { kind: 'convert-charset', charset: 'utf8mb4', collation: 'utf8mb4_bin' },
    ],
    ['CONVERT TO CHARSET utf8mb4', { kind: 'convert-charset', charset: 'utf8mb4', collation: null }],
    ['FORCE', { kind: 'force' }],
    ['ORDER BY a DESC, b', { kind: 'order-by' }],
    ['ADD c INT, ORDER BY a, b', column('c'), { kind: 'order-by' }],
    ['ADD SYSTEM VERSIONING', { kind: 'add-system-versioning' }],
    ['DROP SYSTEM VERSIONING', { kind: 'drop-system-versioning' }],
    ['ADD PERIOD FOR SYSTEM_TIME (a, b)', other],
    ['DISABLE KEYS', other],
    // partitions and tablespaces
    ['EXCHANGE PARTITION p WITH TABLE t', { kind: 'partition-exchange' }],
    ['CONVERT PARTITION p TO TABLE t', { kind: 'partition-exchange' }],
    ['CONVERT TABLE t TO PARTITION p VALUES LESS THAN (5)', { kind: 'partition-exchange' }],
    ['DISCARD TABLESPACE', { kind: 'tablespace' }],
    ['IMPORT PARTITION p0, p1 TABLESPACE', { kind: 'tablespace' }],
    ['DROP PARTITION p0, p1', { kind: 'partition', action: 'DROP' }],
    ['ADD PARTITION (PARTITION p VALUES IN (1, 2))', { kind: 'partition', action: 'ADD' }],
    [
      'REORGANIZE PARTITION a, b INTO (PARTITION c VALUES IN (1))',
      { kind: 'partition', action: 'REORGANIZE' },
    ],
    ['PARTITION BY HASH (id) PARTITIONS 4', { kind: 'partition', action: 'PARTITION' }],
    [
      'DROP a PARTITION BY KEY (b)',
      { kind: 'drop-column', name: 'a', ifExists: false },
      { kind: 'partition', action: 'PARTITION' },
    ],
    [
      'ENGINE=InnoDB REMOVE PARTITIONING',
      { kind: 'engine', engine: 'InnoDB' },
      { kind: 'partition', action: 'REMOVE' },
    ],
    ['ORDER BY a, b PARTITION BY KEY (b)', { kind: 'order-by' }, { kind: 'partition', action: 'PARTITION' }],
    // executable comments are code
    ['ADD a INT /*!80000 , DROP b */', column('a'), { kind: 'drop-column', name: 'b', ifExists: false }],
    // what is no clause at all
    ['ADD', other],
    ['RENAME COLUMN a b', other],
    ['DROP', other],
    ['(', other],
    [''],
  ];
  for (const [sql, ...expected] of cases) {
    it(`reads ${sql}`, () => {
      expect(parseAlterClauses(sql).map(facts)).to.deep.equal(expected);
    });
  }

  it('takes double quotes for names under ANSI_QUOTES only', () => {
    expect(parseAlterClauses('DROP "a"', { ansiQuotes: true }).map(facts)).to.deep.equal([
      { kind: 'drop-column', name: 'a', ifExists: false },
    ]);
    expect(parseAlterClauses('DROP "a"').map(facts)).to.deep.equal([other]);
  });

  it('gives the offsets of each clause', () => {
    const sql = ' ADD a INT , DROP CHECK `c` /* x */ ';
    const [add, drop] = parseAlterClauses(sql);
    expect(sql.slice(add!.start, add!.end)).to.equal('ADD a INT');
    expect(sql.slice(drop!.start, drop!.end)).to.equal('DROP CHECK `c`');
    expect(drop).to.have.deep.property('nameSpan', { start: 24, end: 27 });
  });

  it('accepts any text', () => {
    const words = fc.constantFrom(
      ...[
        'ADD',
        'DROP',
        'COLUMN',
        '(',
        ')',
        ',',
        'PARTITION',
        'BY',
        'ORDER',
        'RENAME',
        'TO',
        'CONVERT',
        '=',
        'x',
      ],
      ...[
        'ALGORITHM',
        'CONSTRAINT',
        'CHECK',
        'IF',
        'NOT',
        'EXISTS',
        'ENGINE',
        '.',
        "'s'",
        'REFERENCES',
        'DEFAULT',
      ],
    );
    fc.assert(
      fc.property(fc.array(words), (parts) => {
        const sql = parts.join(' ');
        for (const { start, end } of parseAlterClauses(sql)) expect(end).to.be.within(start, sql.length);
      }),
      { numRuns: 2000 },
    );
  });
});
