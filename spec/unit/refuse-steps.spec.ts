import { expect } from 'chai';
import { refuseSteps } from '../../lib/cut-over/refuse-steps';

const free = { needsLock: null };
const bound = { needsLock: 'its foreign keys are moved under the lock' };

describe('steps of the cut-over that need the lock', () => {
  for (const strategy of ['two-step', 'rename-then-replay']) {
    it(`are refused with ${strategy}, with the reason`, () => {
      expect(() => refuseSteps(strategy, [free, bound]))
        .to.throw(`'${strategy}' is not possible for this table: ${bound.needsLock}`)
        .with.property('code', 'LHM_UNSUPPORTED_OPTION');
      expect(() => refuseSteps(strategy, [free])).not.to.throw();
    });
  }

  for (const strategy of ['auto', 'rename-under-lock', 'sentry']) {
    it(`are done with ${strategy}`, () => {
      expect(() => refuseSteps(strategy, [free, bound])).not.to.throw();
    });
  }
});
