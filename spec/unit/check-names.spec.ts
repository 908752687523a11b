import { expect } from 'chai';
import fc from 'fast-check';

import { copiesOfChecks, namedChecks, tooLongWhenRenamed } from '../../lib/schema/check-names';
import { derivedNames } from '../../lib/schema/derived-names';
import { significant, tokenize } from '../../lib/schema/sql-tokens';

const copies = (checks: readonly string[], taken: readonly string[] = checks): string[] => [
  ...copiesOfChecks(checks, 'emails', 'emails_lhmn', taken).values(),
];

describe('names of CHECK constraints', () => {
  it('that follow the table become the ghost’s, and others get a suffix', () => {
    expect(copies(['emails_chk_1', 'emails_chk_mine', 'positive', 'Emails_chk_2'])).to.deep.equal([
      'emails_lhmn_chk_1',
      'emails_lhmn_chk_mine',
      'positive_lhmn',
      'Emails_chk_2_lhmn',
    ]);
  });

  it('lose the suffix when the name is free again, and get a number while it is not', () => {
    expect(copies(['positive_lhmn'])).to.deep.equal(['positive']);
    expect(copies(['positive_lhmn'], ['POSITIVE', 'positive_lhmn'])).to.deep.equal(['positive_lhmn2']);
    expect(copies(['positive_lhmn2'], ['positive', 'positive_lhmn'])).to.deep.equal(['positive_lhmn3']);
  });

  it('are all different, fit in 64 characters, and are not taken', () => {
    const name = fc.stringMatching(/^(emails_chk_)?[ab]{1,3}(x{50,61})?(_lhmn\d?)?$/);
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.uniqueArray(name), (checks, others) => {
        const fitting = checks.filter((check) => check.length <= 59);
        const taken = [...others, ...fitting];
        const made = copies(fitting, taken);
        expect(new Set(made).size).to.equal(fitting.length);
        expect(made.filter((copy) => copy.length > 64 || taken.includes(copy))).to.deep.equal([]);
      }),
    );
  });

  it('of a table of any name have room behind the names that are derived from it', () => {
    for (const length of [1, 33, 40, 58, 64]) {
      const table = 't'.repeat(length);
      const names = Object.values({ ...derivedNames(table, '20260102030405678'), triggers: '', gates: '' });
      expect(tooLongWhenRenamed([`${table}_chk_999`], table, names), String(length)).to.deep.equal([]);
    }
  });

  it('that would get too long are found', () => {
    const long = `emails_chk_${'x'.repeat(40)}`;
    expect(
      tooLongWhenRenamed([long, 'x'.repeat(64)], 'emails', ['emails_lhmo_20260102030405678']),
    ).to.deep.equal([long]);
  });

  it('are found in a definition, and nowhere else', () => {
    const sql =
      "CREATE TABLE `t` (`a` int COMMENT 'CONSTRAINT `no` CHECK', CONSTRAINT `one``two` CHECK ((`a` > 0)), CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `b` (`c`), CHECK ((1)))";
    expect(namedChecks(significant(tokenize(sql))).map(({ value }) => value)).to.deep.equal(['one`two']);
  });
});
