import { expect } from 'chai';

import { expectNoLeaks } from '../leak-guard';
import type { Flavor, RunningServer } from '../servers';
import { TURNS, writeEverywhere } from '../write-everywhere';
import type { Feature } from './feature';
import { FeatureTwins } from './feature-twins';

/** A test for each: with writes at every place of the migration, it comes out as the native ALTER of a twin. */
export function itComesOutAsNative(
  flavor: Flavor,
  server: () => RunningServer,
  features: readonly Feature[],
): void {
  for (const feature of features) {
    if (feature.only !== undefined && feature.only !== flavor) {
      it.skip(`${feature.what}: ${feature.lacks ?? `nothing of the kind on ${flavor}`}`);
      continue;
    }
    it(feature.what, async () => {
      const twins = await FeatureTwins.create(server(), feature, TURNS);
      const { test } = twins;
      try {
        const writing = writeEverywhere(
          test,
          (turn) => twins.write(turn),
          () => twins.insertLast(),
        );
        const { verified } = await test.migrate(feature.alter, {
          ...{ chunk: { rows: 5 }, verify: { rows: 10 } },
          ...feature.migration,
          hooks: writing.hooks,
        });
        await writing.done();
        expect(verified.notCompared).to.equal(0);
        await twins.alterTwin();
        await twins.expectSame();
        await twins.goOn();
        await expectNoLeaks(test);
      } finally {
        await twins.drop();
      }
    });
  }
}
