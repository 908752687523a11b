import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { TestTable, without } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ChildMigration, type ChildOrder } from '../support/test-table-process';
import { aroundQueries } from '../support/test-table-statements';
import { SEED, some } from './some';
import { COPY, Writes } from './writes';

const ALTER = 'ADD COLUMN extra INT';
/** Places of each sort where not all are gone through. */
const FEW = 2;

type Options = NonNullable<ChildOrder['options']>;

interface Place {
  /** How many statements are let pass. */
  readonly skip: number;
  readonly when: 'before' | 'after';
  readonly sql: string;
}

/** The parts of a migration in which the application's table is touched. */
const PARTS = {
  capture: [/^CREATE TABLE .*_lhms/s, /^INSERT INTO \S+_lhmn`(?!.*FALSE)/],
  'cut-over': [/^ANALYZE TABLE/, /^$/],
} as const;

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`a process that is killed at any statement on ${on}`, function () {
    this.timeout(1_800_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    /** What a migration sends that nothing disturbs, in order. */
    async function statements(options: Options): Promise<string[]> {
      const test = await TestTable.create(server, { rows: 12 });
      const sent: string[] = [];
      try {
        aroundQueries(test.knex, (query) => (sql, values, callback) => {
          sent.push(sql);
          return query(sql, values, callback);
        });
        await test.migrate(ALTER, options);
        return sent;
      } finally {
        await test.drop();
      }
    }

    async function expectCarriedOn(options: Options, { skip, when, sql }: Place): Promise<void> {
      const test = await TestTable.create(server, { rows: 12 });
      const writes = await Writes.prepare(test);
      const child = ChildMigration.start(test, {
        alter: ALTER,
        stop: { statement: '', when, skip },
        options,
      });
      try {
        // Where the library waited, another run may have come to its end with fewer statements.
        const stopped = 'at' in (await child.report());
        await writes.begin();
        await child.kill();
        await until('the end of the killed connections', async () =>
          (await migrationConnections(test)).length === 0 ? true : undefined,
        );
        await writes.done();
        await writes.write();
        const swapped = (await test.definition()).includes('`extra`');
        if (!stopped) expect(swapped).to.equal(true);
        expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(COPY));
        await test.migrate(swapped ? 'ADD COLUMN another INT' : ALTER, options);
        expect(without(await test.rows(), 'extra', 'another')).to.deep.equal(await test.rows(COPY));
        expect(await oldTables(test)).to.have.length(swapped ? 2 : 1);
        await expectNoLeaks(test);
        await expectWritable(test);
      } catch (error) {
        throw new Error(`killed ${when} statement ${skip + 1} (LHM_FAULTS_SEED=${SEED}): ${sql}`, {
          cause: error,
        });
      } finally {
        await child.kill();
        await test.drop();
      }
    }

    for (const strategy of every(2, atomicStrategiesOf(flavor))) {
      for (const [part, [from, to]] of Object.entries(PARTS)) {
        it(`of the ${part}, by ${strategy}: the application goes on, and the next run succeeds with every row`, async () => {
          const options: Options = { cutOver: { strategy }, chunk: { rows: 10 }, verify: { rows: 10 } };
          const sent = await statements(options);
          const first = sent.findIndex((sql) => from.test(sql));
          const end = sent.findIndex((sql, i) => i > first && to.test(sql));
          expect(first).to.be.at.least(0);
          const places = sent
            .map((sql, skip) => ({ sql, skip }))
            .slice(first, end < 0 ? undefined : end)
            .flatMap((place): Place[] => [
              { ...place, when: 'before' },
              { ...place, when: 'after' },
            ]);
          expect(places).to.have.length.above(20);
          for (const place of some(places, FEW)) await expectCarriedOn(options, place);
        });
      }
    }
  });
}
