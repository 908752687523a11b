import { expect } from 'chai';

import { largeHadronMigrate, type MigrationPlan } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { sabotage } from '../support/saboteur';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';

const CHANGE = 'ADD COLUMN extra INT NULL, ADD UNIQUE KEY by_address (address), DROP COLUMN size';

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`the plan on a real ghost on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let before_: Record<string, unknown>;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      before_ = await test.snapshot();
    });
    afterEach(() => test.drop());

    type Change = Parameters<typeof largeHadronMigrate>[2];

    const ghostPlan = (alter: Change, knex = test.knex): Promise<MigrationPlan> =>
      largeHadronMigrate('emails', { knex, dryRun: 'ghost' }, alter);

    async function plan(alter: Change): Promise<MigrationPlan> {
      const made = await ghostPlan(alter);
      expect(await test.snapshot()).to.deep.equal(before_);
      await expectNoLeaks(test);
      return made;
    }

    itOnce('shows the definition that the migration then makes, and leaves nothing', async () => {
      const made = await plan(CHANGE);
      expect(made.problems).to.deep.equal([]);
      await test.migrate(CHANGE);
      const counter = / AUTO_INCREMENT=\d+/;
      expect(made.newDefinition?.replace(counter, '')).to.equal(
        (await test.definition()).replace(counter, ''),
      );
      expect(made.text).to.contain('as it was made and removed again').and.contain('`by_address`');
    });

    itOnce('tries what a temporary table cannot have', async () => {
      const made = await plan('ADD FULLTEXT KEY words (address)');
      expect(made.newDefinition).to.contain('FULLTEXT KEY `words`');
      expect(made.warnings.join()).not.to.contain('could not be tried');
    });

    itOnce(
      'calls the function once, and makes nothing where the migration would refuse to begin',
      async () => {
        let calls = 0;
        const count: Change = (t) => {
          calls++;
          t.integer('extra');
        };
        expect((await plan(count)).newDefinition).to.contain('`extra`');
        expect(calls).to.equal(1);
        await test.query('CREATE TABLE emails_lhmn (id INT)');
        before_ = await test.snapshot();
        const taken = await ghostPlan('ADD COLUMN extra INT');
        expect(taken.newDefinition).to.equal(null);
        expect(taken.problems.map(({ code }) => code)).to.deep.equal(['LHM_NAME_TAKEN']);
      },
    );

    itOnce('holds no lock on the table while the change is made, nor waits for one', async () => {
      const writer = await test.connect();
      await writer.query('START TRANSACTION');
      await writer.query('SELECT * FROM emails FOR UPDATE');
      const other = await test.connect();
      await other.query('SET SESSION lock_wait_timeout = 1');
      const seen: unknown[] = [];
      await plan(async (_t, ctx) => {
        await ctx.raw('ALTER TABLE ?? ADD COLUMN extra INT', [ctx.ghostTable]);
        await writer.query('ROLLBACK');
        // DDL and writes pass at once.
        await other.query('ALTER TABLE emails ADD COLUMN other INT');
        await other.query('ALTER TABLE emails DROP COLUMN other');
        await other.query("INSERT INTO emails (id, address) VALUES (99, 'meanwhile')");
        await other.query('DELETE FROM emails WHERE id = 99');
        before_ = await test.snapshot();
        const { tables } = before_ as { tables: Record<string, unknown> };
        seen.push(...Object.keys(tables));
        for (const name of Object.keys(tables)) if (name !== 'emails') Reflect.deleteProperty(tables, name);
      });
      expect(seen).to.include('emails_lhmn');
    });

    itOnce('leaves nothing after a change that the server or a function refuses', async () => {
      const cases: [Change, string][] = [
        ['ADD COLUMN extra INT, DROP COLUMN nope', 'LHM_ALTER_FAILED'],
        [
          () => {
            throw new Error('no');
          },
          'LHM_FAILED',
        ],
      ];
      for (const [alter, code] of cases) {
        const error = await failureOf(ghostPlan(alter));
        expect(error).to.include({ code, phase: 'plan', outcome: 'untouched' });
        expect(error.leftovers).to.deep.equal([]);
        expect(await test.snapshot()).to.deep.equal(before_);
      }
    });

    for (const where of [
      /^CREATE TABLE \S*_lhms`/,
      /^INSERT INTO \S*_lhms`/,
      /^CREATE TABLE \S*_lhmn`/,
      /^ALTER TABLE \S*_lhmn`/,
      /^INSERT INTO \S*_lhmn`/,
      /^DROP TABLE IF EXISTS \S*_lhmn`/,
      /^DROP TABLE IF EXISTS \S*_lhms`/,
    ]) {
      itOnce(`leaves nothing when the connection is lost at ${where}`, async () => {
        const knex = test.makeKnex();
        let struck = 0;
        sabotage(knex, (sql) => (where.test(sql) && ++struck === 1 ? 'KILL CONNECTION_ID()' : sql));
        const error = await failureOf(ghostPlan('ADD COLUMN extra INT', knex));
        expect(struck).to.be.at.least(1);
        expect(error).to.include({ phase: 'plan', outcome: 'untouched' });
        expect(error.leftovers).to.deep.equal([]);
        expect(await test.snapshot()).to.deep.equal(before_);
      });
    }

    itOnce('names what it could not remove, which the next run does', async () => {
      const knex = test.makeKnex();
      sabotage(knex, (sql) => (/^DROP TABLE IF EXISTS \S*_lhmn`/.test(sql) ? 'DROP TABLE nope' : sql));
      const error = await failureOf(ghostPlan('ADD COLUMN extra INT', knex));
      expect(error).to.include({ phase: 'plan', outcome: 'rolled-back' });
      const left = (await test.tables()).filter((name) => name !== 'emails');
      expect(error.leftovers.map(({ name }) => name)).to.have.members(
        left.map((name) => `${test.database}.${name}`),
      );
      expect(left).to.have.length(2);
      // A trial removes nothing that somebody may still want to look at.
      expect((await ghostPlan('ADD COLUMN extra INT')).newDefinition).to.equal(null);
      await test.migrate('ADD COLUMN extra INT');
      await expectNoLeaks(test);
    });

    itOnce('makes nothing while the table is migrated', async () => {
      let seen: MigrationPlan | undefined;
      const beforeRowCopy = async (): Promise<void> => void (seen = await ghostPlan('ADD COLUMN a INT'));
      await test.migrate('ADD COLUMN extra INT', { hooks: { beforeRowCopy } });
      expect(seen?.newDefinition).to.equal(null);
      expect(seen?.problems.map(({ code }) => code)).to.include('LHM_NAME_TAKEN');
      await expectNoLeaks(test);
    });
  });
}
