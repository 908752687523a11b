import { expect } from 'chai';
import createKnex from 'knex';

import { restAfterChunk, restAfterStep } from '../../lib/migration/hold';
import { LiveSettings } from '../../lib/options/live-settings';
import { resolveOptions } from '../../lib/options/resolve-options';
import { Throttler } from '../../lib/throttle/throttler';

describe('rests', () => {
  const knex = createKnex({ client: 'mysql2', connection: { host: '127.0.0.1' } });

  function begin(throttle: object, chunk: object): { settings: LiveSettings; throttler: Throttler } {
    const settings = new LiveSettings(resolveOptions({ knex, throttle, chunk, preset: 'production' }, {}));
    return { settings, throttler: new Throttler(settings, () => undefined) };
  }

  it('are none by default', () => {
    const restraint = begin({}, {});
    expect(restAfterChunk(restraint, 400)).to.equal(0);
    expect(restAfterStep(restraint, 400)).to.equal(0);
    expect(restraint.throttler.reason()).to.equal(null);
  });

  it('are as long as niceRatio says, and after chunks also pauseMs', () => {
    const restraint = begin({ niceRatio: 0.5 }, { pauseMs: 30 });
    expect(restAfterChunk(restraint, 400)).to.equal(230);
    expect(restAfterStep(restraint, 400)).to.equal(200);
    restraint.settings.set('throttle.niceRatio', '2');
    restraint.settings.set('chunk.pauseMs', '0');
    expect(restAfterChunk(restraint, 400)).to.equal(800);
  });

  it('follow a chunk that took longer than maxChunkMs, unless that is switched off', () => {
    const restraint = begin({}, {});
    restraint.throttler.chunkTook(5001);
    expect(restraint.throttler.reason()).to.match(/the last chunk, which took 5001 ms/);
    restraint.settings.set('throttle.maxChunkMs', 'off');
    expect(restraint.throttler.reason()).to.equal(null);
  });

  it('are ended by nobody but the operator where the operator pauses', () => {
    const { throttler } = begin({}, {});
    throttler.pause('lunch');
    expect(throttler.reason()).to.equal('lunch');
    throttler.continue();
    expect(throttler.reason()).to.equal(null);
  });
});
