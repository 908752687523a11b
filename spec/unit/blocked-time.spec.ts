import { expect } from 'chai';

import { BlockedTime } from '../../lib/cut-over/blocked-time';

describe('the time that attempts at the swap have blocked', () => {
  it('asks for no pause before there was one', () => {
    expect(new BlockedTime().pauseMs(5000)).to.equal(0);
  });

  it('is a tenth of the time at most at the end of every further attempt', () => {
    const blocked = new BlockedTime();
    let now = 1_000_000;
    const first = now;
    let total = 0;
    for (const took of [1000, 1000, 40, 1000, 2500, 7]) {
      // Nobody knows beforehand that an attempt will take longer than the one before.
      blocked.add(now, took);
      total += took;
      now += took;
      const pause = blocked.pauseMs(now);
      expect((total + took) / (now + pause + took - first)).to.be.at.most(0.1);
      now += pause;
    }
  });
});
