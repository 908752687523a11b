import { expect } from 'chai';

import { derivedNames } from '../../lib/schema/derived-names';
import { inContext } from '../../lib/table-triggers/creation-context';
import { namedColumns } from '../../lib/table-triggers/named-columns';
import { inOrder } from '../../lib/table-triggers/read-table-triggers';
import { withStandIns, type TableTrigger } from '../../lib/table-triggers/table-trigger';
import { createGuard, createReal, createStandIn } from '../../lib/table-triggers/trigger-sql';
import { readTriggerText } from '../../lib/table-triggers/trigger-text';

function trigger(definition: string, sqlMode = ''): TableTrigger {
  return {
    ...{ name: 'tr', when: ['BEFORE INSERT'], definer: 'a@b', sqlMode, charset: 'utf8mb4' },
    ...{ collation: 'utf8mb4_bin', databaseCollation: 'utf8mb4_bin', definition, created: '' },
  };
}

const names = derivedNames('t', '20260101000000000');
const [STAND_IN, GUARD] = ['lhmt', 'lhmg'].map((kind) => `${kind}_20260101000000000_e3b98a4d_1`);

function carried(definition: string, sqlMode = ''): ReturnType<typeof withStandIns>[number] {
  return withStandIns('t', names, [trigger(definition, sqlMode)])[0]!;
}

const HEAD = 'CREATE DEFINER=`a`@`b` TRIGGER `tr` BEFORE INSERT ON `t` FOR EACH ROW';

describe('the text of a trigger', () => {
  for (const [what, definition, expected, sqlMode = ''] of [
    ['as MySQL shows it', `${HEAD} SET NEW.a = 1`, ['DEFINER=`a`@`b`', 'BEFORE INSERT', 'SET NEW.a = 1']],
    [
      'as it was typed',
      'CREATE DEFINER=a@b TRIGGER  s.tr\nafter  delete on s . t for each row\n\n x: BEGIN END x -- c',
      ['DEFINER=a@b', 'after  delete', 'x: BEGIN END x -- c'],
    ],
    [
      'with names that are keywords, and a semicolon',
      'CREATE DEFINER=`on`@`trigger` TRIGGER IF NOT EXISTS `on` BEFORE UPDATE ON `for` FOR EACH ROW SET @a = 1; ',
      ['DEFINER=`on`@`trigger`', 'BEFORE UPDATE', 'SET @a = 1'],
    ],
    [
      'under ANSI_QUOTES',
      'CREATE DEFINER="a"@"b" TRIGGER "ON" BEFORE UPDATE ON "t" FOR EACH ROW SET @a = \'for each row\'',
      ['DEFINER="a"@"b"', 'BEFORE UPDATE', "SET @a = 'for each row'"],
      'ANSI_QUOTES',
    ],
    [
      'for several events and some columns',
      'CREATE DEFINER=`a`@`b` TRIGGER tr BEFORE INSERT OR UPDATE OF a, b ON t FOR EACH ROW SET @a = 1',
      ['DEFINER=`a`@`b`', 'BEFORE INSERT OR UPDATE OF a, b', 'SET @a = 1'],
    ],
  ] as const) {
    it(what, () => {
      const text = readTriggerText(definition, sqlMode);
      expect([text?.definer, text?.when, text?.body]).to.deep.equal(expected);
    });
  }

  it('that is not understood is nothing', () => {
    for (const definition of ['', 'CREATE TABLE t (a INT)', HEAD, `${HEAD} SET @a = 'b`, 'CREATE TRIGGER tr'])
      expect(readTriggerText(definition, ''), definition).to.equal(null);
  });

  it('stays what it was, but for the names, on the new table', () => {
    const one = carried(`${HEAD}\n  SET NEW.a = 1 /* ON t */`);
    expect(createStandIn('s', 't_lhmn', one)).to.equal(
      `CREATE DEFINER=\`a\`@\`b\` TRIGGER \`s\`.\`${STAND_IN}\` BEFORE INSERT ON \`s\`.\`t_lhmn\` FOR EACH ROW SET NEW.a = 1 /* ON t */`,
    );
  });

  it('is given its place so that MariaDB leaves every blank as it was', () => {
    const rest = '\n  SET NEW.a = 1';
    expect(createReal(carried(HEAD + rest))).to.equal(`${HEAD} PRECEDES ${GUARD}${rest}`);
    expect(createReal(carried(HEAD + rest, 'ANSI,IGNORE_SPACE'))).to.equal(
      `${HEAD}\n  PRECEDES ${GUARD} SET NEW.a = 1`,
    );
    expect(createReal(carried(`${HEAD}/**/SET @a = 1`, 'IGNORE_SPACE'))).to.equal(
      `${HEAD} PRECEDES ${GUARD}/**/SET @a = 1`,
    );
  });

  it('is guarded by one that looks for the two others, whatever the names are', () => {
    const sql = createGuard("s'", 'ä', carried(`${HEAD} SET @a = 1 -- end`));
    expect(sql)
      .to.contain("EVENT_OBJECT_SCHEMA = 's'''")
      .and.contain("EVENT_OBJECT_TABLE = _utf8mb4 X'c3a4'");
    expect(sql).to.contain(`PRECEDES ${STAND_IN} BEGIN IF`).and.contain('SET @a = 1 -- end\n;');
    expect(sql).to.contain(`TRIGGER_NAME IN ('${STAND_IN}', 'tr')`);
  });
});

describe('what a trigger names', () => {
  const columns = (body: string, sqlMode = ''): string[] =>
    [...namedColumns(trigger(`${HEAD} ${body}`, sqlMode), 't')].sort();

  it('of its row, and nothing of others', () => {
    expect(columns('SET NEW.A = old . `b`, @c = other.d')).to.deep.equal(['a', 'b']);
    expect(columns("SET @x = 'NEW.a' /* NEW.b */")).to.deep.equal([]);
    expect(columns('SET @x = :NEW."a" || "new"."b"', 'ANSI_QUOTES,ORACLE')).to.deep.equal(['a', 'b']);
  });

  it('of the table itself, where any name may be a column of it', () => {
    expect(columns('SET @x = (SELECT MAX(a) FROM t)')).to.include.members(['a']);
  });

  it('among the columns whose update fires it', () => {
    const one = trigger('CREATE TRIGGER tr AFTER UPDATE OF a, `b` ON t FOR EACH ROW SET @x = c');
    expect([...namedColumns(one, 't')].sort()).to.deep.equal(['a', 'b']);
  });
});

describe('the order of triggers', () => {
  const row = (name: string, event: string): { name: string; timing: string; event: string } => ({
    ...{ name, event, timing: 'AFTER' },
  });

  it('is that in which they fire; one for several events comes when all before it have', () => {
    expect(inOrder([row('b', 'DELETE'), row('a', 'DELETE'), row('c', 'INSERT')])).to.deep.equal([
      'b',
      'a',
      'c',
    ]);
    const both = [row('x', 'DELETE'), row('both', 'DELETE'), row('y', 'INSERT'), row('both', 'INSERT')];
    expect(inOrder(both)).to.deep.equal(['x', 'y', 'both']);
  });

  it('is kept in the runs that share their settings', () => {
    const [a, b, c] = [trigger('1'), trigger('2'), trigger('3', 'ANSI')];
    expect(inContext([a, b, c, a])).to.deep.equal([[a, b], [c], [a]]);
  });
});
