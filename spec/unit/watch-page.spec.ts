import { expect } from 'chai';

import type { ProgressSnapshot } from '../../lib';
import { keepSecret } from '../../lib/cli/secrets';
import { page } from '../../lib/cli/watch-page';
import { ProgressTracker } from '../../lib/progress/progress-tracker';

const REASON = 'replica db-2.internal:3306, which is 12.3 s behind, 等待副本追上来, and so on and so forth';

describe('what watch draws', () => {
  function now(throttled: string): ProgressSnapshot {
    const progress = new ProgressTracker('shop.emails');
    progress.enter('copy');
    progress.update({ rowsEstimated: 1000, rowsCopied: 500, backlog: 12_345, changesApplied: 99, throttled });
    return { ...progress.snapshot(), rowsPerSecond: 4321 };
  }

  const series = { speeds: Array.from({ length: 60 }, (_, i) => i), backlogs: [1, 2, 3] };

  it('fits into any terminal, and begins with the table and why it does not move', () => {
    for (let rows = 2; rows <= 50; rows++)
      for (const columns of [21, 33, 40, 79, 80, 120]) {
        const drawn = page(now(REASON), series, { rows, columns });
        const lines = drawn.split('\n');
        expect(lines.length, `${columns}x${rows}`).to.be.at.most(rows - 1);
        for (const line of lines) {
          const wide = line.replace(/[^\u3000-\uffff]/g, '').length;
          expect(line.length + wide, line).to.be.at.most(columns);
        }
        expect(drawn.replaceAll('\n', '')).to.match(/^\[lhm\] shop\.emails?/);
        if (rows * columns >= 400)
          expect(drawn.replaceAll('\n', '')).to.contain(`: copythrottled: ${REASON}`);
        if (rows >= 20) expect(drawn).to.match(/\n\nrows\/s .*\nbacklog .* 12,345$/);
      }
  });

  it('takes a terminal that does not know its size for a usual one', () => {
    for (const size of [{}, { rows: 0, columns: 0 }])
      expect(page(now(REASON), series, size)).to.equal(page(now(REASON), series, { rows: 24, columns: 80 }));
  });

  it('breaks no secret in two', () => {
    keepSecret('do-not-show-this-password');
    for (let columns = 20; columns < 60; columns++) {
      const drawn = page(now('it says do-not-show-this-password'), series, { rows: 24, columns });
      expect(drawn.replaceAll('\n', '')).to.contain('it says ***').and.not.to.contain('password');
    }
  });
});
