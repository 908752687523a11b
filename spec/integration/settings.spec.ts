import { expect } from 'chai';

import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { Application } from '../support/settings/application';
import { BERLIN } from '../support/settings/berlin';
import { settingsOf, type Setting } from '../support/settings/settings';
import { atomicStrategiesOf } from '../support/strategies';
import { TURNS, writeEverywhere } from '../support/write-everywhere';

/** Columns that the modes make something else of, conversions that round and pad, and an index. */
const ALTER = [
  'ADD COLUMN x INT NULL DEFAULT 5',
  'ADD COLUMN r REAL NULL',
  'ADD COLUMN d DATE NULL',
  "ADD COLUMN t VARCHAR(20) NULL DEFAULT ''",
  'MODIFY c VARCHAR(20) NOT NULL',
  'MODIFY moment DATETIME NULL',
  'ADD INDEX by_note (note)',
].join(', ');

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`settings of the server on ${on}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    // Under MIXED that mode is refused; how much of a row is logged is its own affair.
    const isPossible = ({ globals }: Setting): boolean =>
      mode === 'triggers' || !('binlog_format' in globals);
    const ofTheLog = ({ globals }: Setting): boolean => mode === 'binlog' && 'binlog_row_image' in globals;
    const all = settingsOf(flavor).filter(isPossible);
    const some = [
      ...all.filter(ofTheLog),
      ...every(
        6,
        all.filter((one) => !ofTheLog(one)),
      ),
    ];
    for (const [i, { what, globals, atSwap = false }] of some.entries()) {
      const strategies = atomicStrategiesOf(flavor);
      // Where the swap has nothing to do with it, the ways take turns.
      for (const strategy of atSwap ? every(2, strategies) : [strategies[i % strategies.length]!]) {
        it(`${what}: as a native ALTER, with every write, swapped by ${strategy}`, async () => {
          const application = await Application.create(server, TURNS);
          const { test } = application;
          try {
            for (const sql of 'time_zone' in globals ? BERLIN : []) await test.query(sql);
            await test.withGlobals(globals, async () => {
              const writing = writeEverywhere(
                test,
                (turn) => application.write(turn),
                () => application.insertLast(),
              );
              const result = await test.migrate(ALTER, {
                ...{ chunk: { rows: 5 }, verify: { rows: 10 }, cutOver: { strategy } },
                // A DATETIME has no fractions of a second, which has to be wanted.
                columns: { allowDataLoss: true },
                hooks: writing.hooks,
              });
              await writing.done();
              expect(result.verified.notCompared).to.equal(0);
              await application.alterTwin(ALTER);
            });
            await application.expectSame();
            await expectNoLeaks(test);
          } finally {
            await test.drop();
          }
        });
      }
    }
  });
}
