import { expect } from 'chai';
import type { Knex } from 'knex';

import { killConnections } from '../faults/sweep';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';
import { auditCounts, auditTable, writeAudited, type Counts } from '../support/triggers/audit';
import { triggerFacts } from '../support/triggers/trigger-facts';

/** In which another connection renames than the one that holds the lock. */
const STRATEGIES = ['sentry', 'rename-then-replay'] as const;

function killBeforeRename(test: TestTable, knex: Knex): { happened: boolean } {
  let holder = 0;
  intercept(knex, { match: /^LOCK TABLES .*_lhmn/, when: 'before', run: (id) => void (holder = id) });
  return intercept(knex, {
    match: /^RENAME TABLE `\w+`\.`emails` TO/,
    when: 'before',
    run: () => killConnections(test, [holder]),
  });
}

/**
 * The connection that holds the lock is killed when everything that changes hands has been prepared, just before the other
 * one asks for the RENAME. The attempt is given up, and what it had prepared must not be there while the next is waited for.
 */
for (const { flavor, mode, on } of serversAndModes()) {
  describe(`the lock lost between the last preparation and the RENAME, on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    /** @param meanwhile what the application does before the next attempt asks for the lock */
    async function migrate(
      test: TestTable,
      knex: Knex,
      strategy: (typeof STRATEGIES)[number],
      meanwhile: () => Promise<void>,
    ): Promise<unknown> {
      const killed = killBeforeRename(test, knex);
      const again = intercept(knex, {
        match: /^LOCK TABLES .*_lhmn/,
        when: 'before',
        skip: 1,
        run: meanwhile,
      });
      const result = await test.migrate(ADD_COLUMN, { knex, cutOver: { strategy, backoffMs: 1 } });
      expect(killed.happened, 'killed').to.equal(true);
      expect(again.happened, 'tried again').to.equal(true);
      expect(result.cutOver.attempts).to.be.above(1);
      return result;
    }

    it('sentry: the table’s own triggers do not fire on the copy', async () => {
      const test = await TestTable.create(server);
      const facts = await auditTable(test, false);
      let written: Counts = {};
      await migrate(test, test.makeKnex(), 'sentry', async () => {
        written = await writeAudited(test, 5000);
      });
      expect(written).not.to.deep.equal({});
      expect(await auditCounts(test)).to.deep.equal(written);
      expect(await triggerFacts(test)).to.deep.equal(facts);
      await expectNoLeaks(test);
      await test.drop();
    });

    for (const strategy of STRATEGIES) {
      // There the connection that holds the lock renames.
      if (strategy === 'rename-then-replay' && flavor === 'mysql') continue;

      it(`${strategy}: rows written meanwhile are on the new table`, async () => {
        const test = await TestTable.create(server);
        const knex = test.makeKnex();
        await migrate(test, knex, strategy, async () => {
          await test.query("INSERT INTO emails (id, address) VALUES (5000, 'late')");
          await test.query('DELETE FROM emails WHERE id = 3');
        });
        const [row] = await test.query<{ late: number; gone: number }>(
          'SELECT SUM(id = 5000) AS late, SUM(id = 3) AS gone FROM emails',
        );
        expect([Number(row?.late), Number(row?.gone)]).to.deep.equal([1, 0]);
        await expectNoLeaks(test);
        await test.drop();
      });
    }

    // On MySQL tables with foreign keys are never swapped so.
    if (flavor === 'mariadb')
      it('sentry: foreign keys lead back to the table at once, and not after a pause', async () => {
        const test = await TestTable.create(server);
        await test.query(
          'CREATE TABLE notes (id INT PRIMARY KEY, email INT UNSIGNED NULL, CONSTRAINT notes_email FOREIGN KEY (email) REFERENCES emails (id) ON DELETE CASCADE)',
        );
        await test.query('INSERT INTO notes VALUES (1, 1)');
        const definition = await test.definition('notes');
        const during: Promise<string>[] = [];
        const knex = test.makeKnex();
        killBeforeRename(test, knex);
        const error = await failureOf(
          test.migrate(ADD_COLUMN, {
            ...{ knex, cutOver: { strategy: 'sentry', backoffMs: 1000 } },
            progress: ({ waitingFor }) => {
              if (waitingFor?.includes('RENAME') === true) during.push(test.definition('notes'));
            },
          }),
        );
        // A cascade may have missed the copy in the moment before.
        expect(error).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
        expect(error.message).to.include('while foreign keys changed hands');
        expect(during, 'looks in the pause').not.to.have.length(0);
        for (const look of during) expect(await look).to.equal(definition);
        expect(await test.definition('notes')).to.equal(definition);
        await test.query('DELETE FROM emails WHERE id = 1');
        expect(await test.query('SELECT * FROM notes')).to.deep.equal([]);
        await expectNoLeaks(test);
        await test.drop();
      });
  });
}
