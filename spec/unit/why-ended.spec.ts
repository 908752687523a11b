import { expect } from 'chai';

import { missingMark } from '../../lib/binlog/binlog-errors';
import { startedAnew } from '../../lib/changes/binlog/binlog-refusals';
import { whyEnded } from '../../lib/changes/binlog/why-ended';

describe('why the reading of the log ended', () => {
  const gap = missingMark();
  const why = startedAnew('The server', 0);

  it('is what the server tells of it, where a part of the log is missing', async () => {
    expect(await whyEnded(gap, () => Promise.reject(why))).to.equal(why);
  });

  it('is what was read where the server knows of nothing, or cannot be asked', async () => {
    expect(await whyEnded(gap, () => Promise.resolve())).to.equal(gap);
    expect(await whyEnded(gap, () => Promise.reject(new Error('gone')))).to.equal(gap);
  });

  it('is everything else without asking', async () => {
    const other = new Error('other');
    expect(await whyEnded(other, () => Promise.reject(why))).to.equal(other);
  });
});
