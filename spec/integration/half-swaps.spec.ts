import { expect } from 'chai';

import { largeHadronCleanUp, LargeHadronError } from '../../lib';
import { some } from '../faults/some';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectTakenBack, expectTruthfulLeftovers, expectWritable } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ChildMigration } from '../support/test-table-process';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

const FIRST = '^ALTER TABLE \\S+emails` RENAME';
const SECOND = '^ALTER TABLE \\S+_lhmn` RENAME';

const MODES = ['triggers', 'binlog'] as const;
const CASES = availableFlavors().flatMap((flavor) => MODES.map((mode) => ({ flavor, mode })));

/** Where a swap in two steps breaks off, and what bears the table's name then. */
const PLACES = [
  ['before the first rename', FIRST, 'before', 'the original'],
  ['after the first rename', FIRST, 'after', 'nothing'],
  ['before the second rename', SECOND, 'before', 'nothing'],
  ['after the second rename', SECOND, 'after', 'the new table'],
] as const;

for (const { flavor, mode } of CASES) {
  describe(`a swap in two steps that breaks off on ${flavor}, ${mode}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let child: ChildMigration | undefined;
    const TWO_STEP: Options = { mode, cutOver: { strategy: 'two-step', backoffMs: 10 } };
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });
    afterEach(async () => {
      await child?.kill();
      await test.drop();
    });

    const isThere = async (): Promise<boolean> => (await test.tables()).includes('emails');

    async function kill(id: number): Promise<void> {
      await test.query(`KILL ${id}`);
      await until(`the end of connection ${id}`, async () =>
        (await migrationConnections(test)).some((row) => row.Id === id) ? undefined : true,
      );
    }

    async function expectMigrated(): Promise<void> {
      expect(await test.definition()).to.contain('`extra`');
      expect(without(await test.rows(), 'extra', 'another')).to.deep.equal(was.rows);
      await expectNoLeaks(test);
      await expectWritable(test);
    }

    const places = mode === 'triggers' ? PLACES : some(PLACES, 1);

    for (const place of PLACES) {
      const [what, statement, when, named] = place;
      describe(what, () => {
        async function killThere(): Promise<void> {
          const stop = { statement, when };
          child = ChildMigration.start(test, { alter: 'ADD COLUMN extra INT', stop, options: TWO_STEP });
          await child.reached();
          await child.kill();
          await until('the end of the killed connections', async () =>
            (await migrationConnections(test)).length === 0 ? true : undefined,
          );
          expect(await isThere()).to.equal(named !== 'nothing');
        }

        if (places.includes(place)) {
          it('the process is killed: the next run puts it right and succeeds', async () => {
            await killThere();
            const swapped = named === 'the new table';
            await test.migrate(swapped ? 'ADD COLUMN another INT' : 'ADD COLUMN extra INT', TWO_STEP);
            expect(await oldTables(test)).to.have.length(swapped ? 2 : 1);
            await expectMigrated();
          });

          it('the process is killed: the clean-up puts it right', async () => {
            await killThere();
            await largeHadronCleanUp('emails', { knex: test.knex });
            if (named === 'the new table') return expectMigrated();
            expect(await test.definition()).to.equal(was.definition);
            expect(await test.rows()).to.deep.equal(was.rows);
            expect(await test.tables()).to.deep.equal(['emails']);
            await expectNoLeaks(test);
            await expectWritable(test);
          });
        }

        it('the connection is lost: carries on', async () => {
          const killed = intercept(test.knex, { match: new RegExp(statement), when, run: kill });
          await test.migrate(ADD_COLUMN, TWO_STEP);
          expect(killed.happened).to.equal(true);
          await expectMigrated();
        });

        it('the connection is lost, and none may be made anew: swapped or as it was', async () => {
          const killed = intercept(test.knex, { match: new RegExp(statement), when, run: kill });
          const options = { ...TWO_STEP, reconnectMs: 0 };
          const end = await test.migrate(ADD_COLUMN, options).catch((error: unknown) => error);
          expect(killed.happened).to.equal(true);
          const lost = { code: 'LHM_CONNECTION_LOST' };
          if (named !== 'the new table') {
            await expectTakenBack(test, end as LargeHadronError, was, lost);
          } else {
            if (end instanceof LargeHadronError) {
              expect(end).to.include({ ...lost, outcome: 'swapped' });
              await expectTruthfulLeftovers(test, end);
            }
            await expectMigrated();
          }
        });
      });
    }

    for (const [what, errno, attempts] of [
      ['is not granted in time', 1205, 2],
      ['is killed', 1317, 2],
    ] as const) {
      it(`the second rename ${what}: taken back at once, and tried again`, async () => {
        const states: boolean[] = [];
        const rewrite = (): string =>
          `SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = 'failed on purpose'`;
        intercept(test.knex, { match: new RegExp(SECOND), when: 'before', rewrite, run: () => undefined });
        const looks = { match: /^LOCK TABLES .*_lhmn/, when: 'before' as const, skip: 1 };
        intercept(test.knex, { ...looks, run: async () => void states.push(await isThere()) });
        const { cutOver } = await test.migrate(ADD_COLUMN, TWO_STEP);
        expect(cutOver).to.include({ strategy: 'two-step', attempts });
        expect(states).to.deep.equal([true]);
        await expectMigrated();
      });
    }

    it('somebody takes the name in between: nobody guesses, and the way out is told', async () => {
      const create = 'CREATE TABLE emails (id INT PRIMARY KEY)';
      const run = (): Promise<void> => test.query(create).then(() => undefined);
      intercept(test.knex, { match: new RegExp(SECOND), when: 'before', run });
      const error = await test.failure(ADD_COLUMN, TWO_STEP);
      expect(error).to.include({ code: 'LHM_HALF_SWAPPED', outcome: 'unknown' });
      const [old] = await oldTables(test);
      expect(error.message).to.contain(old);
      expect(await test.rows(old)).to.deep.equal(was.rows);
      const again = await test.failure(ADD_COLUMN, { ...TWO_STEP, knex: test.makeKnex() });
      expect(again).to.include({ code: 'LHM_HALF_SWAPPED' });
      const cleaning = await largeHadronCleanUp('emails', { knex: test.knex }).catch(
        (reason: unknown) => reason,
      );
      expect(cleaning).to.include({ code: 'LHM_HALF_SWAPPED' });
      expect(await test.rows(old)).to.deep.equal(was.rows);
      expect(error.hint).to.contain('RENAME TABLE');
      await test.query(`RENAME TABLE emails TO theirs, \`${old}\` TO emails`);
      await test.migrate(ADD_COLUMN, { ...TWO_STEP, knex: test.makeKnex() });
      await expectMigrated();
    });
  });
}
