import { expect } from 'chai';
import fc from 'fast-check';
import { runs } from '../../lib/changes/triggers/journal-table';

describe('journal entries', () => {
  it('fold into runs of consecutive numbers', () => {
    expect(runs([5n, 1n, 2n, 3n, 9n, 6n])).to.deep.equal([
      [1n, 3n],
      [5n, 6n],
      [9n, 9n],
    ]);
  });

  it('in runs are exactly the numbers given', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt({ min: 0n, max: 60n })), (numbers) => {
        const covered = runs(numbers).flatMap(([from, to]) => {
          const run: bigint[] = [];
          for (let n = from; n <= to; n++) run.push(n);
          return run;
        });
        expect(covered).to.deep.equal([...numbers].sort((a, b) => (a < b ? -1 : 1)));
      }),
    );
  });
});
