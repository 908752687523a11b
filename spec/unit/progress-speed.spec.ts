import { expect } from 'chai';

import type { ProgressSnapshot } from '../../lib';
import { formatLine } from '../../lib/progress/format';
import { ProgressTracker } from '../../lib/progress/progress-tracker';
import { clock } from '../../lib/util/clock';

describe('speed and time left', () => {
  const time = clock as { monotonic: () => number };
  const { monotonic } = time;
  let now: number;
  let tracker: ProgressTracker;

  beforeEach(() => {
    now = 1000;
    time.monotonic = () => now;
    tracker = new ProgressTracker('shop.emails');
    tracker.update({ rowsEstimated: 100_000 });
    tracker.enter('copy');
  });
  afterEach(() => (time.monotonic = monotonic));

  /** Copies so many rows a second for some seconds. */
  function copy(rowsPerSecond: number, seconds: number): ProgressSnapshot {
    for (let i = 0; i < seconds * 2; i++) {
      now += 500;
      tracker.update({ rowsCopied: tracker.snapshot().rowsCopied + rowsPerSecond / 2 });
    }
    return tracker.snapshot();
  }

  it('are known after the first chunk', () => {
    expect(copy(1000, 0.5)).to.include({ rowsPerSecond: 1000, etaMs: 99_500 });
  });

  it('follow the last ten seconds, not the average of all', () => {
    copy(4000, 10);
    expect(copy(1000, 10)).to.include({ rowsPerSecond: 1000, etaMs: 50_000 });
  });

  it('are not told for long of what does not move any more', () => {
    copy(1000, 10);
    now += 5000;
    expect(tracker.snapshot().rowsPerSecond).to.equal(500);
    now += 3_600_000;
    expect(tracker.snapshot()).to.include({ rowsPerSecond: 0, etaMs: null });
  });

  it('are not told once more was copied than was estimated, until the rows are counted', () => {
    tracker.update({ rowsEstimated: 2000 });
    expect(copy(1000, 1)).to.include({ rowsPerSecond: 1000, etaMs: 1000 });
    const now = copy(1000, 2);
    expect(now).to.include({ rowsEstimated: 3000, rowsPerSecond: 1000, etaMs: null });
    expect(formatLine(now)).to.contain('3,000 rows, more than estimated, 1,000 rows/s').and.not.contain('%');
    tracker.update({ rowsEstimated: 12_000, rowsCounted: true });
    expect(formatLine(tracker.snapshot())).to.contain('of 12,000 rows (25 %), 1,000 rows/s, 9 s left');
  });

  it('come with whether rows were counted, and with every reason why nothing moves', () => {
    expect(formatLine(copy(1000, 1))).to.contain(
      '1,000 of about 100,000 rows (1 %), 1,000 rows/s, 1 min 39 s left',
    );
    const since = clock.now() - 3_723_000;
    tracker.update({ rowsEstimated: 10_000, rowsCounted: true, waitingFor: 'a lock', throttled: 'load' });
    tracker.update({ postponed: { by: 'the operator', since } });
    const line = formatLine(tracker.snapshot());
    expect(line).to.contain('of 10,000 rows (10 %)').and.contain('throttled: load, postponed for 1 h 2 min');
    expect(line).to.contain(`(since ${new Date(since).toISOString()}) by the operator, waiting for a lock`);
  });
});
