import { expect } from 'chai';

import { follow, ownRenames } from '../../lib/changes/binlog/own-renames';

const NAMES = { schema: 's', origin: 't', ghost: 't_lhmn', old: 't_lhmo_1' };

/** What is renamed, as `from>to`. */
function own(sql: string, schema = 's'): string {
  return ownRenames(NAMES, schema, sql)
    .map(({ from, to }) => `${from.table}>${to.table}`)
    .join(' ');
}

describe("the cut-over's own RENAMEs in the binary log", () => {
  for (const [what, sql, renames] of [
    ['the swap', 'RENAME TABLE `s`.`t` TO `s`.`t_lhmo_1`, `s`.`t_lhmn` TO `s`.`t`', 't>t_lhmo_1 t_lhmn>t'],
    [
      'the swap taken back',
      'RENAME TABLE `s`.`t` TO `s`.`t_lhmn`, `s`.`t_lhmo_1` TO `s`.`t`',
      't>t_lhmn t_lhmo_1>t',
    ],
    ['its first half', 'ALTER TABLE `s`.`t` RENAME TO `s`.`t_lhmo_1`', 't>t_lhmo_1'],
    ['its second half', 'ALTER TABLE `s`.`t_lhmn` RENAME TO `s`.`t` /* own */', 't_lhmn>t'],
    ['the first half taken back', 'rename table t_lhmo_1 to t', 't_lhmo_1>t'],
    ['somebody else’s', 'RENAME TABLE s.t TO s.elsewhere', ''],
    ['one of another schema', 'RENAME TABLE o.t TO o.t_lhmo_1', ''],
    ['one with another table', 'RENAME TABLE t TO t_lhmo_1, u TO t', ''],
    ['more than a RENAME', 'ALTER TABLE t RENAME TO t_lhmo_1, ADD COLUMN x INT', ''],
    ['a column’s', 'ALTER TABLE t RENAME COLUMN a TO t_lhmo_1', ''],
    ['another form', 'ALTER TABLE t RENAME t_lhmo_1', ''],
    ['none', "UPDATE t SET a = 'RENAME TABLE t TO t_lhmo_1'", ''],
    ['one that is cut off', 'RENAME TABLE t TO', ''],
  ] as const) {
    it(what, () => expect(own(sql)).to.equal(renames));
  }

  it('are in the schema of who ran it where none is named', () => {
    expect(own('RENAME TABLE t TO t_lhmo_1', 'o')).to.equal('');
  });

  it('are followed one after the other', () => {
    const swap = ownRenames(NAMES, 's', 'RENAME TABLE t TO t_lhmo_1, t_lhmn TO t');
    const back = ownRenames(NAMES, 's', 'RENAME TABLE t TO t_lhmn, t_lhmo_1 TO t');
    expect(follow('t', swap)).to.equal('t_lhmo_1');
    expect(follow('t_lhmo_1', back)).to.equal('t');
  });
});
