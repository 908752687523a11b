import { expect } from 'chai';
import type { Knex } from 'knex';

import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectTruthfulLeftovers, expectWritable, withoutCounter } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { sweep, type Sweep } from '../faults/sweep';
import { without, type Options, type TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** Done to the table and to its twin, which nobody migrates. */
const WRITES = [
  'UPDATE # SET size = size + 1 WHERE id IN (2, 7, 11)',
  "REPLACE INTO # (id, address) VALUES (12, 'replaced')",
  'UPDATE # SET id = 41 - id WHERE id IN (20, 21)',
];

async function write(test: TestTable): Promise<void> {
  for (const sql of WRITES) {
    for (const table of [test.table, 'twin']) await test.query(sql.replace('#', table));
  }
}

async function prepare(test: TestTable): Promise<void> {
  await test.query("INSERT INTO emails (id, address) VALUES (20, 'wanders')");
  await test.query('CREATE TABLE twin LIKE emails');
  await test.query('INSERT INTO twin SELECT * FROM emails');
}

function migrate(test: TestTable, knex: Knex, options: Options, arm?: () => void): Promise<unknown> {
  const writes = (): Promise<void> => write(test);
  const beforeRowCopy = async (): Promise<void> => {
    await write(test);
    arm?.();
  };
  return test.migrate(ADD_COLUMN, {
    ...{ knex, chunk: { rows: 5 }, verify: { rows: 5 }, reconnectMs: 60_000, ...options },
    hooks: { beforeRowCopy, afterRowCopy: writes, beforeCutOver: writes },
  });
}

/** The table is its twin, changed or as it was. */
async function expectTwin(test: TestTable, swapped: boolean): Promise<void> {
  expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows('twin'));
  const definition = withoutCounter(await test.definition()).replace('`emails`', '`twin`');
  if (swapped) expect(definition).to.contain('`extra`');
  else expect(definition).to.equal(withoutCounter(await test.definition('twin')));
  expect(await oldTables(test)).to.have.length(swapped ? 1 : 0);
  await expectWritable(test);
}

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`KILL QUERY of any statement on ${on}`, function () {
    this.timeout(300_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    async function expectSwept(
      given: Omit<Sweep, 'server' | 'fault' | 'prepare'>,
      atLeast: number,
    ): Promise<void> {
      const { places, problems } = await sweep({ server, fault: 'killed', prepare, ...given });
      expect(problems, problems.join('\n')).to.deep.equal([]);
      expect(places).to.be.at.least(atLeast);
    }

    for (const strategy of every(2, atomicStrategiesOf(flavor))) {
      it(`once rows are being copied, swapped by ${strategy}: carried on`, () =>
        expectSwept(
          {
            name: `kill query, ${strategy}`,
            attempt: ({ test }, knex, arm) =>
              migrate(test, knex, { cutOver: { strategy, backoffMs: 5 } }, arm),
            armed: 'later',
            check: async ({ test }, error) => {
              expect(error, error?.message).to.equal(null);
              await expectTwin(test, true);
              await expectNoLeaks(test);
              return 'changed';
            },
          },
          60,
        ));
    }

    it('before: taken back, and told', () =>
      expectSwept(
        {
          name: 'kill query, before',
          attempt: ({ test }, knex) => {
            const stop = new AbortController();
            return test.migrate(ADD_COLUMN, {
              ...{ knex, signal: stop.signal },
              hooks: { beforeRowCopy: () => stop.abort() },
            });
          },
          check: async ({ test }, error) => {
            expect(error, 'the error').not.to.equal(null);
            expect(error!.outcome, error!.message).to.be.oneOf(['untouched', 'rolled-back']);
            await expectTwin(test, false);
            await expectTruthfulLeftovers(test, error!);
            return 'as before';
          },
        },
        40,
      ));
  });
}
