import { expect } from 'chai';
import { ChunkSizer } from '../../lib/chunk/chunk-sizer';

const TIMED = { rows: false as const, targetMs: 500, rowsMin: 100, rowsMax: 50_000 };

describe('chunk sizer', () => {
  it('leaves a fixed size alone', () => {
    const sizer = new ChunkSizer(() => ({ ...TIMED, rows: 35_000 }));
    sizer.took(35_000, 10_000);
    expect(sizer.size).to.equal(35_000);
  });

  it('comes back to a fixed size after it had to be smaller', () => {
    const sizer = new ChunkSizer(() => ({ ...TIMED, rows: 1000 }));
    sizer.shrink();
    sizer.took(250, 1);
    expect(sizer.size).to.equal(750);
    sizer.took(750, 10_000);
    sizer.took(1000, 10_000);
    expect(sizer.size).to.equal(1000);
  });

  it('grows at most threefold at once and never beyond rowsMax', () => {
    const sizer = new ChunkSizer(() => TIMED);
    const sizes = [];
    for (let i = 0; i < 6; i++) {
      sizer.took(sizer.size, 1);
      sizes.push(sizer.size);
    }
    expect(sizes).to.deep.equal([3000, 9000, 27_000, 50_000, 50_000, 50_000]);
  });

  it('settles where a chunk takes the target time', () => {
    const sizer = new ChunkSizer(() => TIMED);
    for (let i = 0; i < 10; i++) sizer.took(sizer.size, sizer.size / 20);
    expect(sizer.size).to.equal(10_000);
  });

  it('never goes below rowsMin by time, but does when a chunk failed for its size', () => {
    const sizer = new ChunkSizer(() => TIMED);
    sizer.took(1000, 1_000_000);
    expect(sizer.size).to.equal(100);
    expect(sizer.shrink()).to.equal(true);
    expect(sizer.size).to.equal(25);
    for (let i = 0; i < 5; i++) sizer.shrink();
    expect(sizer.size).to.equal(1);
    expect(sizer.shrink()).to.equal(false);
  });
});
