import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { keyKinds } from '../support/keys/keyed-table';
import { KeyedTwins } from '../support/keys/keyed-twins';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { TURNS, writeEverywhere } from '../support/write-everywhere';

const ROWS = 60;
const CHUNK = 5;

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`chunk keys on ${on}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    for (const [name, kind] of every(4, keyKinds(flavor))) {
      for (const strategy of every(2, atomicStrategiesOf(flavor))) {
        it(`${name}, swapped by ${strategy}: every row and every change arrives`, async () => {
          const twins = await KeyedTwins.create(server, kind, ROWS, TURNS);
          const { test } = twins;
          try {
            const writing = writeEverywhere(
              test,
              (turn) => twins.write(turn),
              () => twins.insertLast(),
            );
            const alter = kind.alter ?? 'ADD COLUMN extra INT NULL';
            const result = await test.migrate(alter, {
              ...{ chunk: { rows: CHUNK }, verify: { rows: 2 * CHUNK }, cutOver: { strategy } },
              hooks: writing.hooks,
            });
            await writing.done();
            expect(result.changesApplied).to.be.above(ROWS / 2);
            expect(result.verified.notCompared).to.equal(0);
            await test.query(`ALTER TABLE twin ${alter}`);
            await twins.expectSame();
            await expectNoLeaks(test);
          } finally {
            await test.drop();
          }
        });
      }
    }
  });
}
