import { expect } from 'chai';
import { parseAlterClauses } from '../../lib/schema/alter-clauses';
import { createColumnTracker } from '../../lib/schema/column-tracker';

interface Expected {
  readonly mapping: Record<string, string>;
  readonly added?: string[];
  readonly dropped?: string[];
}

describe('column tracker', () => {
  const cases: [what: string, statements: string[], expected: Expected][] = [
    ['nothing', [], { mapping: { id: 'id', a: 'a', b: 'b' } }],
    ['an added column', ['ADD c INT'], { mapping: { id: 'id', a: 'a', b: 'b' }, added: ['c'] }],
    [
      'a list of added columns',
      ['ADD (c INT, d INT)'],
      { mapping: { id: 'id', a: 'a', b: 'b' }, added: ['c', 'd'] },
    ],
    ['a dropped column', ['DROP a'], { mapping: { id: 'id', b: 'b' }, dropped: ['a'] }],
    ['a renamed column', ['RENAME COLUMN a TO c'], { mapping: { id: 'id', a: 'c', b: 'b' } }],
    ['a changed column', ['CHANGE a c BIGINT'], { mapping: { id: 'id', a: 'c', b: 'b' } }],
    [
      'two renames, one after the other',
      ['RENAME COLUMN a TO c', 'CHANGE c d INT'],
      { mapping: { id: 'id', a: 'd', b: 'b' } },
    ],
    [
      'a swap in one statement',
      ['RENAME COLUMN a TO b, RENAME COLUMN b TO a'],
      { mapping: { id: 'id', a: 'b', b: 'a' } },
    ],
    ['a swap by CHANGE', ['CHANGE a b INT, CHANGE b a INT'], { mapping: { id: 'id', a: 'b', b: 'a' } }],
    [
      'a chain in one statement',
      ['RENAME COLUMN a TO b, RENAME COLUMN b TO c'],
      { mapping: { id: 'id', a: 'b', b: 'c' } },
    ],
    [
      'a swap over a third name',
      ['RENAME COLUMN a TO x', 'RENAME COLUMN b TO a', 'RENAME COLUMN x TO b'],
      { mapping: { id: 'id', a: 'b', b: 'a' } },
    ],
    [
      'a column replaced in one statement',
      ['DROP a, ADD a INT'],
      { mapping: { id: 'id', b: 'b' }, added: ['a'], dropped: ['a'] },
    ],
    [
      'a column replaced, written the other way round',
      ['ADD a INT, DROP a'],
      { mapping: { id: 'id', b: 'b' }, added: ['a'], dropped: ['a'] },
    ],
    [
      'a column replaced in two statements',
      ['DROP a', 'ADD a INT'],
      { mapping: { id: 'id', b: 'b' }, added: ['a'], dropped: ['a'] },
    ],
    ['a name taken over', ['DROP b, CHANGE a b INT'], { mapping: { id: 'id', a: 'b' }, dropped: ['b'] }],
    [
      'a name freed by a rename',
      ['RENAME COLUMN a TO c, ADD a INT'],
      { mapping: { id: 'id', a: 'c', b: 'b' }, added: ['a'] },
    ],
    ['a column that came and went', ['ADD c INT', 'DROP c'], { mapping: { id: 'id', a: 'a', b: 'b' } }],
    [
      'an added column renamed',
      ['ADD c INT', 'RENAME COLUMN c TO d'],
      { mapping: { id: 'id', a: 'a', b: 'b' }, added: ['d'] },
    ],
    [
      'a renamed column dropped',
      ['RENAME COLUMN a TO c', 'DROP c'],
      { mapping: { id: 'id', b: 'b' }, dropped: ['a'] },
    ],
    [
      'names in another case',
      ['RENAME COLUMN A TO c, DROP B'],
      { mapping: { id: 'id', a: 'c' }, dropped: ['b'] },
    ],
    ['a rename of the case alone', ['CHANGE a A INT'], { mapping: { id: 'id', a: 'A', b: 'b' } }],
    ['MODIFY in another case', ['MODIFY A BIGINT'], { mapping: { id: 'id', a: 'A', b: 'b' } }],
    [
      'IF NOT EXISTS of a column there is',
      ['ADD COLUMN IF NOT EXISTS A INT'],
      { mapping: { id: 'id', a: 'a', b: 'b' } },
    ],
    [
      'IF NOT EXISTS of one there is not',
      ['ADD COLUMN IF NOT EXISTS c INT'],
      { mapping: { id: 'id', a: 'a', b: 'b' }, added: ['c'] },
    ],
    [
      'IF NOT EXISTS of a column that is dropped: MariaDB drops it and adds none',
      ['DROP a, ADD COLUMN IF NOT EXISTS a INT'],
      { mapping: { id: 'id', b: 'b' }, dropped: ['a'] },
    ],
    [
      'IF NOT EXISTS of a column twice',
      ['ADD COLUMN IF NOT EXISTS c INT, ADD COLUMN IF NOT EXISTS C INT'],
      { mapping: { id: 'id', a: 'a', b: 'b' }, added: ['c'] },
    ],
    [
      'IF NOT EXISTS of a name just given to another column',
      ['CHANGE b x INT, ADD IF NOT EXISTS X INT'],
      { mapping: { id: 'id', a: 'a', b: 'x' } },
    ],
    [
      'IF EXISTS of columns there are not',
      ['DROP COLUMN IF EXISTS x, CHANGE IF EXISTS y z INT, RENAME COLUMN IF EXISTS v TO w'],
      { mapping: { id: 'id', a: 'a', b: 'b' } },
    ],
    [
      'IF EXISTS of a column there is',
      ['DROP COLUMN IF EXISTS a'],
      { mapping: { id: 'id', b: 'b' }, dropped: ['a'] },
    ],
    [
      'clauses about something else',
      ['ADD INDEX a (a), DROP INDEX b, ALTER a SET DEFAULT 1, ENGINE=InnoDB'],
      { mapping: { id: 'id', a: 'a', b: 'b' } },
    ],
  ];
  for (const [what, statements, { mapping, added, dropped }] of cases) {
    it(`follows ${what}`, () => {
      const tracker = createColumnTracker(['id', 'a', 'b']);
      for (const statement of statements) tracker.apply(parseAlterClauses(statement));
      expect(Object.fromEntries(tracker.mapping())).to.deep.equal(mapping);
      expect(tracker.added()).to.deep.equal(added ?? []);
      expect(tracker.dropped()).to.deep.equal(dropped ?? []);
    });
  }

  it("returns the origin's names as they were given", () => {
    const tracker = createColumnTracker(['Id', 'Name']);
    tracker.apply(parseAlterClauses('RENAME COLUMN NAME TO title'));
    expect([...tracker.mapping()]).to.deep.equal([
      ['Id', 'Id'],
      ['Name', 'title'],
    ]);
  });
});
