import { expect } from 'chai';

import { largeHadronCleanUp } from '../../lib';
import { failOnce } from '../faults/fail-once';
import { some } from '../faults/some';
import { killConnections } from '../faults/sweep';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ChildMigration } from '../support/test-table-process';
import { aroundQueries } from '../support/test-table-statements';

/** Statements gone through where not all are. */
const FEW = 4;

const ALTER =
  'ADD COLUMN extra INT NULL, ADD CONSTRAINT emails_owner FOREIGN KEY (owner) REFERENCES people (id)';

/** Keys of every sort, and indexes that the server itself has made for them. */
const SETUP = [
  'CREATE TABLE orgs (id INT PRIMARY KEY)',
  'CREATE TABLE people (id INT PRIMARY KEY)',
  'CREATE TABLE emails (id INT PRIMARY KEY, org INT NULL, above INT NULL, owner INT NULL, KEY (owner),' +
    ' FOREIGN KEY (org) REFERENCES orgs (id) ON DELETE CASCADE,' +
    ' CONSTRAINT emails_above FOREIGN KEY (above) REFERENCES emails (id))',
  'CREATE TABLE notes (id INT PRIMARY KEY, email INT NULL, other INT NULL,' +
    ' CONSTRAINT notes_email FOREIGN KEY (email) REFERENCES emails (id) ON DELETE CASCADE,' +
    ' FOREIGN KEY (other) REFERENCES emails (id))',
  'CREATE TABLE tags (id INT PRIMARY KEY, email INT NULL, FOREIGN KEY (email) REFERENCES emails (id) ON DELETE SET NULL)',
  'INSERT INTO orgs VALUES (1), (2), (3)',
  'INSERT INTO people VALUES (1), (2)',
  'INSERT INTO emails (id, org, above, owner) VALUES (1, 1, NULL, 1), (2, 2, 1, 2), (3, 2, NULL, NULL), (4, NULL, NULL, 1)',
  'INSERT INTO notes VALUES (1, 3, 1), (2, 2, NULL)',
  'INSERT INTO tags VALUES (1, 4), (2, 4)',
];

/** Statements that change keys, write down what is changed, or swap. */
const ABOUT_KEYS =
  /FOREIGN KEY|RENAME INDEX|^RENAME TABLE|^LOCK TABLES .*_lhmn|^UPDATE .*record|^DROP TABLE .*_lhmo_/;

/** Statements that name a table: by a lock on it they may be part of a deadlock. */
const LOCKS = /`(?:emails|notes|orgs|people|tags)/;

/** But for those that ask for one table's lock while they hold none, for helpers that nobody else knows, or under the lock. */
const ALONE =
  /^SHOW|^CREATE TRIGGER|information_schema|^CREATE TABLE `db`\.`emails_lhm[jrs]|^(?:INSERT INTO|UPDATE) `db`\.`emails_lhm[js]/;

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`foreign keys of a migration that breaks off on ${on}`, function () {
    this.timeout(600_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    async function create(): Promise<TestTable> {
      const test = await TestTable.create(server);
      await test.query('DROP TABLE emails');
      for (const sql of SETUP) await test.query(sql);
      return test;
    }

    async function definitions(test: TestTable): Promise<Record<string, string[]>> {
      const found: Record<string, string[]> = {};
      for (const table of ['emails', 'notes', 'orgs', 'people', 'tags'])
        found[table] = (await test.definition(table)).split('\n');
      return found;
    }

    /** How all tables look when nothing was changed, and after a native ALTER. */
    async function ends(): Promise<{ before: unknown; after: unknown }> {
      const test = await create();
      const before = await definitions(test);
      await test.query(`ALTER TABLE emails ${ALTER}`);
      const after = await definitions(test);
      await test.drop();
      return { before, after };
    }

    /** Every key holds: what the rules say happens, to the new rows as to the old. */
    async function expectInForce(test: TestTable): Promise<void> {
      await test.query('INSERT INTO emails (id, org, above, owner) VALUES (50, 3, 4, 1)');
      await test.query('INSERT INTO notes VALUES (50, 50, 4)');
      await test.query('INSERT INTO tags VALUES (50, 50)');
      const refused = [
        'INSERT INTO emails (id, org) VALUES (51, 99)',
        'INSERT INTO emails (id, above) VALUES (51, 99)',
        'INSERT INTO notes VALUES (51, 99, NULL)',
        'INSERT INTO tags VALUES (51, 99)',
        'DELETE FROM emails WHERE id = 4',
      ];
      for (const sql of refused) {
        const error: unknown = await test.query(sql).catch((reason: unknown) => reason);
        expect((error as { errno?: number }).errno, sql).to.be.oneOf([1451, 1452]);
      }
      await test.query('DELETE FROM orgs WHERE id = 3');
      const [left] = await test.query(
        'SELECT (SELECT COUNT(*) FROM emails WHERE id = 50) AS emails, (SELECT COUNT(*) FROM notes WHERE id = 50) AS notes, (SELECT COUNT(*) FROM tags WHERE id = 50 AND email IS NULL) AS tags',
      );
      expect(left).to.deep.equal({ emails: 0, notes: 0, tags: 1 });
      await test.query('DELETE FROM tags WHERE id = 50');
      await test.query('INSERT INTO orgs VALUES (3)');
    }

    async function rows(test: TestTable): Promise<unknown[]> {
      const found: unknown[] = [];
      for (const sql of ['id, org, above, owner FROM emails', '* FROM notes', '* FROM tags', '* FROM orgs'])
        found.push(await test.query(`SELECT ${sql} ORDER BY 1`));
      return found;
    }

    /** The statements of an undisturbed run. */
    async function statements(): Promise<string[]> {
      const test = await create();
      const seen: string[] = [];
      aroundQueries(test.knex, (query) => (sql, values, callback) => {
        if (ABOUT_KEYS.test(sql)) seen.push(sql);
        return query(sql, values, callback);
      });
      await test.migrate(ALTER);
      await test.drop();
      return seen;
    }

    for (const mending of every(2, ['the next run', 'a clean-up'] as const)) {
      it(`killed after each statement about keys, mended by ${mending}`, async () => {
        const { before, after } = await ends();
        const places = await statements();
        const problems: string[] = [];
        for (const skip of some([...places.keys()], FEW)) {
          const test = await create();
          const child = ChildMigration.start(test, {
            ...{ alter: ALTER, options: {} },
            stop: { statement: ABOUT_KEYS.source, when: 'after', skip },
          });
          try {
            await child.reached();
            await child.kill();
            await until('the end of the killed connections', async () =>
              (await migrationConnections(test)).length === 0 ? true : undefined,
            );
            const swapped = (await test.definition()).includes('`extra`');
            const were = await rows(test);
            if (mending === 'a clean-up') await largeHadronCleanUp('emails', { knex: test.knex });
            else if (swapped) await test.migrate('ADD COLUMN another INT NULL');
            else await test.migrate(ALTER);
            if (mending === 'the next run' && swapped)
              await test.query('ALTER TABLE emails DROP COLUMN another');
            const done = swapped || mending === 'the next run';
            expect(await definitions(test)).to.deep.equal(done ? after : before);
            expect(await rows(test)).to.deep.equal(were);
            await expectInForce(test);
            await expectNoLeaks(test);
          } catch (error) {
            problems.push(
              `after ${places[skip] ?? ''}: ${String(error)} ${JSON.stringify((error as { actual?: unknown }).actual ?? '')}`,
            );
          }
          await child.kill();
          await test.drop();
        }
        expect(problems).to.deep.equal([]);
        expect(places.length).to.be.above(10);
      });
    }

    for (const fault of every(3, ['error', 'cut before', 'cut after'] as const)) {
      it(`each statement about keys fails once (${fault}): the run itself puts all right`, async () => {
        const { before, after } = await ends();
        const recorded = await create();
        const recording = failOnce(recorded.knex, { place: null, fault, kill: () => Promise.resolve() });
        await recorded.migrate(ALTER);
        await recorded.drop();
        const places = [...recording.places].filter((place) =>
          ABOUT_KEYS.test(place.slice(place.indexOf('›') + 2)),
        );
        const problems: string[] = [];
        for (const place of some(places, FEW)) {
          const test = await create();
          try {
            const knex = test.makeKnex();
            const struck = failOnce(knex, {
              ...{ place, fault },
              kill: (connections) => killConnections(test, connections),
            });
            const were = await rows(test);
            const run = test.migrate(ALTER, { knex, reconnectMs: 5000 });
            const error = await run.then(
              () => null,
              () => failureOf(run),
            );
            if (struck.struck === null) continue;
            if (error !== null)
              expect(error.outcome, error.message).to.be.oneOf(['untouched', 'rolled-back', 'swapped']);
            const swapped = error === null || error.outcome === 'swapped';
            if (error?.outcome === 'swapped') await largeHadronCleanUp('emails', { knex: test.knex });
            expect(await definitions(test)).to.deep.equal(swapped ? after : before);
            expect(await rows(test)).to.deep.equal(were);
            await expectInForce(test);
            await expectNoLeaks(test);
          } catch (error) {
            problems.push(
              `${place}: ${String(error)} ${JSON.stringify((error as { actual?: unknown }).actual ?? '')}`,
            );
          }
          await test.drop();
        }
        expect(problems).to.deep.equal([]);
        expect(places.length).to.be.above(10);
      });
    }

    itOnce('each statement meets a deadlock once: the run succeeds', async () => {
      const { after } = await ends();
      const recorded = await create();
      const recording = failOnce(recorded.knex, {
        ...{ place: null, fault: 'deadlock', kill: () => Promise.resolve() },
      });
      await recorded.migrate(ALTER);
      await recorded.drop();
      const places = [...recording.places].filter((place) => {
        const sql = place.slice(place.indexOf('›') + 2);
        return LOCKS.test(sql) && !ALONE.test(sql);
      });
      const problems: string[] = [];
      for (const place of some(places, 2 * FEW)) {
        const test = await create();
        try {
          const knex = test.makeKnex();
          failOnce(knex, { place, fault: 'deadlock', kill: () => Promise.resolve() });
          const were = await rows(test);
          await test.migrate(ALTER, { knex });
          expect(await definitions(test)).to.deep.equal(after);
          expect(await rows(test)).to.deep.equal(were);
          await expectNoLeaks(test);
        } catch (error) {
          problems.push(`${place}: ${String(error)}`);
        }
        await test.drop();
      }
      expect(problems, problems.join('\n')).to.deep.equal([]);
      expect(places.length).to.be.above(30);
    });
  });
}
