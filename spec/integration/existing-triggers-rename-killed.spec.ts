import { expect } from 'chai';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { largeHadronCleanUp, planLargeHadronMigration, type LargeHadronError } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';
import { auditCounts, auditTable, writeAudited } from '../support/triggers/audit';
import { triggerFacts } from '../support/triggers/trigger-facts';

/** Of which each kills the RENAME a little later: on MariaDB one of a few meets it half-way. */
const TRIES = { mysql: 12, mariadb: 60 };

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`the RENAME that swaps tables with triggers, killed by somebody, on ${on}`, function () {
    this.timeout(300_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    /** A migration whose RENAME is killed once it may run. */
    async function killed(
      what: string,
      afterMs: number,
    ): Promise<{ test: TestTable; error: LargeHadronError | null }> {
      const test = await TestTable.create(server);
      await auditTable(test, false);
      const knex = test.makeKnex();
      let renamer = 0;
      intercept(knex, { match: /^RENAME TABLE/, when: 'before', run: (id) => void (renamer = id) });
      intercept(knex, {
        match: /^DROP TABLE `\w+`\.`emails_lhmo_\d+`/,
        when: 'after',
        run: () =>
          void sleep(afterMs)
            .then(() => test.query(`${what} ${renamer}`))
            .catch(() => undefined),
      });
      const options = { knex, cutOver: { strategy: 'sentry' as const, attempts: 3, backoffMs: 100 } };
      const error = await test.migrate(ADD_COLUMN, options).then(
        () => null,
        (reason: unknown) => reason as LargeHadronError,
      );
      return { test, error };
    }

    for (const what of ['KILL', 'KILL QUERY']) {
      it(`(${what}): no row is lost, and what becomes of the triggers is told`, async () => {
        let found = 0;
        for (let i = 0; i < TRIES[flavor] && found === 0; i++) {
          const { test, error } = await killed(what, i % 6);
          if (error?.code !== 'LHM_TRIGGERS_UNREADABLE') {
            expect(error?.outcome ?? 'swapped').to.equal(
              (await test.definition()).includes('`extra`') ? 'swapped' : 'rolled-back',
            );
            await test.query('TRUNCATE audit');
            const written = await writeAudited(test, 5000);
            expect(await auditCounts(test)).to.deep.equal(written);
            await test.drop();
            continue;
          }
          found++;
          expect(error.outcome).to.equal('unknown');
          expect(error.hint).to.include('.TRG');
          await mended(test);
        }
        // Its dictionary is transactional.
        expect(found).to.equal(flavor === 'mysql' ? 0 : 1);
      });
    }

    /** As the hint says. */
    async function mended(test: TestTable): Promise<void> {
      const calls = [
        () => planLargeHadronMigration('emails', { knex: test.knex }, ADD_COLUMN),
        () => test.migrate(ADD_COLUMN),
        () => largeHadronCleanUp('emails', { knex: test.knex }),
      ];
      for (const call of calls) {
        const error = await call().catch((reason: unknown) => reason);
        expect(error).to.include({ code: 'LHM_TRIGGERS_UNREADABLE', outcome: 'untouched' });
      }
      const [record] = await test.query<{ text: string }>('SELECT * FROM emails_lhms');
      expect(JSON.stringify(record)).to.include('emails_au1');
      const [folder] = await test.query<{ path: string }>('SELECT @@GLOBAL.datadir AS path');
      const file = join(folder!.path, test.database, 'emails.TRG');
      await rename(file, `${file}.broken`);
      await test.query('FLUSH TABLES');
      expect(await test.rows()).to.have.length(30);
      await largeHadronCleanUp('emails', { knex: test.knex });
      const facts = await triggerFacts(test);
      expect(facts).to.deep.equal([]);
      for (const name of ['emails_ai', 'emails_au1', 'emails_au2', 'emails_bd'])
        await test.query(`DROP TRIGGER IF EXISTS ${name}`);
      await test.query('DROP TABLE audit');
      const before = await auditTable(test, false);
      await test.migrate(ADD_COLUMN);
      expect(await triggerFacts(test)).to.deep.equal(before);
      await expectNoLeaks(test);
      await rename(`${file}.broken`, join(folder!.path, `${test.database}.TRG`));
      await test.drop();
    }
  });
}
