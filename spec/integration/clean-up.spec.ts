import { expect } from 'chai';

import { largeHadronCleanUp, type CleanUpResult } from '../../lib';
import { killConnections } from '../faults/sweep';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ChildMigration, type ChildOrder } from '../support/test-table-process';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** Where a run dies, and what it leaves: at least these, by the letters of their names. */
const PLACES: readonly (readonly [what: string, stop: ChildOrder['stop'], left: readonly string[]])[] = [
  ['with an empty state table', { statement: '^CREATE TABLE .*_lhms', when: 'after' }, ['s']],
  ['with one trigger', { statement: '^CREATE TRIGGER .*_lhmi', when: 'after' }, ['s', 'n', 'j', 'i']],
  ['in the copy', { phase: 'copy' }, ['s', 'n', 'j', 'i', 'u', 'd']],
  ['after the swap', { hook: 'afterCutOver' }, ['s', 'j', 'i', 'u', 'd']],
  ['with the sentry standing', { statement: 'COMMENT = .*sentry', when: 'after' }, ['s', 'n', 'o', 'i']],
];

/** Statements after which the original, or the sentry, bears the old table's name. */
const SWAPPING = [
  ['two-step', /^ALTER TABLE \S+emails` RENAME/],
  ['rename-then-replay', /^RENAME TABLE `\w+`\.`emails` TO/],
  ['sentry', /COMMENT = .*sentry/],
] as const;

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`cleaning up on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let child: ChildMigration | undefined;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(async () => {
      await child?.kill();
      child = undefined;
      await test.drop();
    });

    async function die(stop: ChildOrder['stop'], of = test): Promise<void> {
      const options = { cutOver: { strategy: 'sentry' as const } };
      child = ChildMigration.start(of, { alter: 'ADD COLUMN extra INT', stop, options });
      await child.reached();
      await child.kill();
      await until('the end of the killed connections', async () =>
        (await migrationConnections(of)).length === 0 ? true : undefined,
      );
    }

    // With the binary log there is a changelog instead.
    const inMode = (letters: readonly string[]): readonly string[] =>
      mode === 'triggers' || !letters.includes('i')
        ? letters
        : [...letters.filter((one) => !'iud'.includes(one)), 'c'];

    for (const [what, stop, left] of PLACES) {
      if (mode === 'binlog' && /trigger/.test(what)) continue;
      it(`after a run that was killed ${what}: everything goes, and nothing else`, async () => {
        await die(stop);
        await test.query('CREATE TABLE emails_lhmx (id INT)');
        const rows = await test.rows();
        const before = await test.snapshot();

        const would = await largeHadronCleanUp('emails', { knex: test.knex, dryRun: true });
        expect(await test.snapshot()).to.deep.equal(before);
        const letters = would.removed.map(({ name }) => /_lhm(.)(?:_\d+)?$/.exec(name)?.[1]);
        expect(letters).to.include.members([...inMode(left)]);

        const { removed, alive } = await largeHadronCleanUp('emails', { knex: test.knex });
        expect(removed).to.deep.equal(would.removed);
        expect(alive).to.deep.equal([]);
        const again = await largeHadronCleanUp('emails', { knex: test.knex });
        expect(again.removed).to.deep.equal([]);
        expect(await test.rows()).to.deep.equal(rows);
        expect((await test.tables()).filter((name) => !name.includes('_lhmo_'))).to.deep.equal([
          'emails',
          'emails_lhmx',
        ]);
        await test.query('DROP TABLE emails_lhmx');
        await expectNoLeaks(test);
        await expectWritable(test);
      });
    }

    it('finds every table of the database that a dead run has left something of', async () => {
      await die({ phase: 'copy' });
      await test.query('CREATE TABLE letters LIKE emails');
      const { removed } = await largeHadronCleanUp(null, { knex: test.knex });
      expect(removed.length).to.be.above(mode === 'triggers' ? 5 : 4);
      expect(await test.tables()).to.deep.equal(['emails', 'letters']);
      await expectNoLeaks(test);
    });

    it('leaves a migration alone that is running', async () => {
      child = ChildMigration.start(test, { alter: 'ADD COLUMN extra INT', stop: { hook: 'beforeCutOver' } });
      await child.reached();
      const before = await test.snapshot();
      const error = await failureOf(largeHadronCleanUp('emails', { knex: test.knex }));
      expect(error).to.include({ code: 'LHM_ALREADY_RUNNING', phase: 'clean-up', outcome: 'untouched' });
      const { removed, alive } = await largeHadronCleanUp(null, { knex: test.knex });
      expect(removed).to.deep.equal([]);
      expect(alive).to.deep.equal([`${test.database}.emails`]);
      expect(await test.snapshot()).to.deep.equal(before);
    });

    for (const [strategy, match] of SWAPPING) {
      it(`takes nothing for an old table while a run is swapping (${strategy})`, async () => {
        const knex = test.makeKnex();
        const late = "INSERT INTO emails (id, address) VALUES (5000, 'late')";
        const write = (): Promise<void> => test.query(late).then(() => undefined);
        intercept(knex, { match: /^LOCK TABLES .*_lhmn/, when: 'before', run: write });
        let found: CleanUpResult | undefined;
        const run = async (): Promise<void> => {
          // Otherwise its locks would keep everybody else from the tables.
          if (strategy !== 'sentry')
            await killConnections(
              test,
              (await migrationConnections(test)).slice(1).map(({ Id }) => Id),
            );
          found = await largeHadronCleanUp(null, { knex: test.makeKnex(), dropOldTablesAfterMs: 0 });
        };
        intercept(knex, { match, when: 'after', run });
        await test.migrate(ADD_COLUMN, { knex, cutOver: { strategy, backoffMs: 1 } });
        expect(found).to.deep.equal({ removed: [], alive: [`${test.database}.emails`], oldTables: [] });
        const rows = await test.rows();
        expect(rows).to.have.length(31);
        expect(rows.at(-1)).to.include({ id: 5000, address: 'late' });
        expect(await oldTables(test)).to.have.length(1);
        await expectNoLeaks(test);
      });
    }

    // Elsewhere names differ by their case there, too.
    if (flavor === 'mysql' && mode === 'triggers')
      it('leaves the triggers of a table alone whose name differs in case', async () => {
        const other = await TestTable.create(server, { table: 'Emails' });
        await die({ statement: '^CREATE TABLE .*_lhmj', when: 'after' }, other);
        await other.query('CREATE TABLE emails LIKE Emails');
        const beforeCutOver = async (): Promise<void> => {
          const { removed } = await largeHadronCleanUp('Emails', { knex: other.makeKnex() });
          expect(removed).not.to.deep.equal([]);
          expect(await other.triggers()).to.deep.equal(['emails_lhmd', 'emails_lhmi', 'emails_lhmu']);
        };
        await other.migrate(ADD_COLUMN, { knex: other.makeKnex(), hooks: { beforeCutOver } }, 'emails');
        await expectNoLeaks(other);
        await other.drop();
      });

    itOnce('lists old tables, and drops them by age if asked', async () => {
      for (const column of ['a', 'b']) await test.migrate(`ADD COLUMN ${column} INT`);
      const [first, second] = await oldTables(test);
      await test.query(`RENAME TABLE ${first!} TO emails_lhmo_20200101000000000`);
      await test.query('CREATE TABLE letters_lhmo_20200101000000000 LIKE emails');
      const { knex } = test;
      const listed = await largeHadronCleanUp('emails', { knex });
      expect(listed.oldTables.map(({ name, dropped }) => ({ name, dropped }))).to.deep.equal([
        { name: 'emails_lhmo_20200101000000000', dropped: false },
        { name: second, dropped: false },
      ]);
      expect(listed.oldTables[0]?.since.toISOString()).to.equal('2020-01-01T00:00:00.000Z');

      const dropped = await largeHadronCleanUp('emails', { knex, dropOldTablesAfterMs: 86_400_000 });
      expect(dropped.oldTables.map((old) => old.dropped)).to.deep.equal([true, false]);
      expect(await test.tables()).to.have.members(['emails', 'letters_lhmo_20200101000000000', second]);

      await largeHadronCleanUp(null, { knex, dropOldTablesAfterMs: 0 });
      expect(await test.tables()).to.deep.equal(['emails']);
    });

    itOnce('refuses what it does not understand', async () => {
      const { knex } = test;
      const cases: readonly (readonly [unknown, unknown, string])[] = [
        ['emails', {}, 'LHM_BAD_OPTION'],
        ['emails', null, 'LHM_BAD_OPTION'],
        ['emails', { knex, dropOldTables: true }, 'LHM_UNKNOWN_OPTION'],
        ['emails', { knex, dropOldTablesAfterMs: -1 }, 'LHM_BAD_OPTION'],
        ['a.b.c', { knex }, 'LHM_BAD_TABLE_NAME'],
        [null, { knex: test.makeKnex({}, { database: undefined }) }, 'LHM_BAD_TABLE_NAME'],
      ];
      for (const [table, options, code] of cases) {
        const error = await failureOf(largeHadronCleanUp(table as string, options as { knex: typeof knex }));
        expect(error).to.include({ code, outcome: 'untouched' });
        expect(error.hint).not.to.equal('');
      }
    });
  });
}
