import { expect } from 'chai';

import { UsualLevel } from '../../lib/throttle/usual-level';

describe('a limit by what is usual', () => {
  function level(): { at: (ms: number, value: number) => boolean } {
    let now = 0;
    const usual = new UsualLevel(50, () => now);
    return {
      /** Whether the value holds the migration. */
      at: (ms, value) => {
        now = ms;
        return value > usual.limitFor(value);
      },
    };
  }

  it('is never below what is few on any server', () => {
    const { at } = level();
    expect(at(0, 2)).to.equal(false);
    expect(at(500, 50)).to.equal(false);
    expect(at(1000, 51)).to.equal(true);
    expect(at(1500, 50)).to.equal(false);
  });

  it('is twice what was seen before the work began', () => {
    const { at } = level();
    at(0, 100);
    expect(at(500, 200)).to.equal(false);
    expect(at(1000, 201)).to.equal(true);
  });

  it('rises to what goes on for a minute without the migration: no server holds for good', () => {
    const { at } = level();
    at(0, 2);
    for (let ms = 500; ms < 60_500; ms += 500) expect(at(ms, 300), `after ${ms} ms`).to.equal(true);
    expect(at(60_500, 300)).to.equal(false);
    expect(at(61_000, 600)).to.equal(false);
    expect(at(61_500, 601)).to.equal(true);
  });

  it('does not rise where the load goes away in between', () => {
    const { at } = level();
    at(0, 2);
    for (let ms = 500; ms < 300_000; ms += 500) {
      const high = ms % 30_000 !== 0;
      expect(at(ms, high ? 300 : 10), `after ${ms} ms`).to.equal(high);
    }
  });

  it('forgets a busy time within some minutes', () => {
    const { at } = level();
    at(0, 300);
    expect(at(500, 600)).to.equal(false);
    for (let ms = 1000; ms < 3_600_000; ms += 500) at(ms, 10);
    expect(at(3_600_000, 60)).to.equal(true);
  });

  it('does not rise with what runs while the migration works', () => {
    const { at } = level();
    at(0, 30);
    for (let ms = 500; ms < 600_000; ms += 500) expect(at(ms, 60)).to.equal(false);
    expect(at(600_000, 61)).to.equal(true);
  });
});
