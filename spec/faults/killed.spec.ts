import { expect } from 'chai';

import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { expectWritable } from '../support/leak-guard-leftovers';
import { startServer, type Mode, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { migrationConnections, until, untilWaiting } from '../support/test-table-process-list';
import { ChildMigration, type ChildOrder } from '../support/test-table-process';
import { some } from './some';

const OPTIONS = { chunk: { rows: 7 }, verify: { rows: 7 } };

type Stop = ChildOrder['stop'];
type Ends = 'as it was' | 'swapped' | 'either';

/** A strategy, or the mode without which the place is not come to. */
type Only = 'sentry' | Mode;

/** Where the process is killed, and how the table must stand then. */
const PLACES: readonly [what: string, stop: Stop, ends: Ends, only?: Only][] = [
  ['with an empty state table', { statement: '^CREATE TABLE .*_lhms', when: 'after' }, 'as it was'],
  ['with a ghost', { statement: '^ALTER TABLE .*_lhmn.*extra', when: 'after' }, 'as it was'],
  ['with one trigger', { statement: '^CREATE TRIGGER .*_lhmi', when: 'after' }, 'as it was', 'triggers'],
  ['with an empty changelog', { statement: '^CREATE TABLE .*_lhmc_', when: 'after' }, 'as it was', 'binlog'],
  ['with a mark', { statement: '^UPDATE .*_lhmc_.* SET mark', when: 'after' }, 'as it was', 'binlog'],
  ['after capture', { hook: 'beforeRowCopy' }, 'as it was'],
  ['in the copy', { phase: 'copy' }, 'as it was'],
  ['in a chunk', { statement: '^UPDATE .*copied_to', when: 'after', skip: 2 }, 'as it was'],
  ['in the verification', { phase: 'verify' }, 'as it was'],
  ['before the cut-over', { hook: 'beforeCutOver' }, 'as it was'],
  ['with all tables locked', { statement: '^LOCK TABLES .*_lhmn', when: 'after' }, 'as it was'],
  ['before the RENAME', { statement: '^RENAME TABLE', when: 'before' }, 'as it was'],
  ['after the RENAME', { statement: '^RENAME TABLE', when: 'after' }, 'swapped'],
  ['after the swap', { hook: 'afterCutOver' }, 'swapped'],
  ['with two triggers left', { statement: '^DROP TRIGGER', when: 'after' }, 'swapped', 'triggers'],
  [
    'without a changelog',
    { statement: '^DROP TABLE IF EXISTS .*_lhmc_', when: 'after' },
    'swapped',
    'binlog',
  ],
  ['with one table left', { statement: '^DROP TABLE IF EXISTS .*_lhmr_', when: 'after' }, 'swapped'],
  ['with the sentry standing', { statement: 'COMMENT = .*sentry', when: 'after' }, 'as it was', 'sentry'],
  ['when the sentry is dropped', { statement: '^DROP TABLE .*_lhmo_', when: 'after' }, 'either', 'sentry'],
];

for (const { flavor, mode, on, every, once, itOnce } of serversAndModes()) {
  describe(`a process that is killed on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let test: TestTable;
    let child: ChildMigration | undefined;

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
    });

    afterEach(async () => {
      await child?.kill();
      await test.drop();
    });

    /** What an application does with the table, the ids it uses apart from those of others. */
    async function write(from: number): Promise<void> {
      await test.query("UPDATE emails SET note = 'written', size = size + 1 WHERE id IN (3, 11, 29)");
      await test.query('DELETE FROM emails WHERE id = ?', [from]);
      await test.query('UPDATE emails SET id = ? WHERE id = ?', [from + 500, from + 1]);
      await test.query("REPLACE INTO emails (id, address) VALUES (?, 'replaced')", [from + 2]);
      await test.query("INSERT INTO emails (address, size) VALUES ('new', 5)");
    }

    const seen = async (): Promise<unknown[]> => without(await test.rows(), 'extra');

    /** The server must have noticed that the process is gone. */
    const untilForgotten = (): Promise<true> =>
      until('the end of the killed connections', async () =>
        (await migrationConnections(test)).length === 0 ? true : undefined,
      );

    const places = PLACES.filter(([, , , only]) => only === undefined || only === 'sentry' || only === mode);
    for (const [what, stop, ends, only] of every(2, some(places, 4))) {
      const strategy = only === 'sentry' ? only : 'auto';
      it(`${what}: the application goes on, and the next run succeeds with every row`, async () => {
        child = ChildMigration.start(test, {
          ...{ alter: 'ADD COLUMN extra INT', stop, options: { ...OPTIONS, cutOver: { strategy } } },
        });
        await child.reached();
        // With the tables locked a write would wait until the process is gone.
        if (!('statement' in stop)) await write(10);
        await child.kill();
        await untilForgotten();
        await write(20);
        const swapped = (await test.definition()).includes('`extra`');
        if (ends !== 'either') expect(swapped, 'swapped').to.equal(ends === 'swapped');
        const rows = await seen();

        const result = await test.migrate(
          swapped ? 'ADD COLUMN another INT' : 'ADD COLUMN extra INT',
          OPTIONS,
        );
        expect(result.rowsCopied).to.equal(rows.length);
        expect(without(await test.rows(), 'extra', 'another')).to.deep.equal(rows);
        expect(await test.definition()).to.contain('`extra`');
        const kept = await oldTables(test);
        expect(kept)
          .to.have.length(swapped ? 2 : 1)
          .and.include(result.oldTable);
        expect(await test.rows(result.oldTable!)).to.have.length(rows.length);
        await expectNoLeaks(test);
        await expectWritable(test);
      });
    }

    it('twice, at two places, leaves nothing either', async () => {
      for (const stop of [{ phase: 'copy' }, { hook: 'beforeCutOver' }] as const) {
        child = ChildMigration.start(test, { alter: 'ADD COLUMN extra INT', stop, options: OPTIONS });
        await child.reached();
        await child.kill();
        await untilForgotten();
        await write('phase' in stop ? 10 : 20);
      }
      const rows = await seen();
      await test.migrate('ADD COLUMN extra INT', OPTIONS);
      expect(await seen()).to.deep.equal(rows);
      await expectNoLeaks(test);
    });

    itOnce('does not keep a migration of another table from running', async () => {
      await test.query('CREATE TABLE letters LIKE emails');
      child = ChildMigration.start(test, { alter: 'ADD COLUMN extra INT', stop: { phase: 'copy' } });
      await child.reached();
      await child.kill();
      await untilForgotten();
      await test.migrate('ADD COLUMN extra INT', {}, 'letters');
      const helpers = (await test.tables()).filter((name) => /_lhm[cnjsr]/.test(name));
      expect(helpers.every((name) => name.startsWith('emails_'))).to.equal(true);
      expect(helpers).not.to.be.empty;
      expect(await test.triggers()).to.have.length(mode === 'triggers' ? 3 : 0);
      await test.migrate('ADD COLUMN extra INT');
      await expectNoLeaks(test);
    });

    itOnce(
      'is waited for while it lives, and replaced as soon as the server knows that it is gone',
      async () => {
        child = ChildMigration.start(test, {
          alter: 'ADD COLUMN extra INT',
          stop: { hook: 'beforeRowCopy' },
        });
        await child.reached();
        const error = await test.failure('ADD COLUMN extra INT');
        expect(error).to.include({ code: 'LHM_ALREADY_RUNNING', outcome: 'untouched' });
        expect(await test.triggers()).to.have.length(mode === 'triggers' ? 3 : 0);
        await child.kill();
        await untilForgotten();
        await test.migrate('ADD COLUMN extra INT');
        await expectNoLeaks(test);
      },
    );

    it('by a second signal, while the first is still being obeyed: it ends at once', async function () {
      // With the binary log there is nothing on the table that could be waited for.
      if (mode === 'binlog') return this.skip();
      const holder = await test.connect();
      child = ChildMigration.start(test, {
        ...{ alter: 'ADD COLUMN extra INT', stop: { phase: 'copy', goOn: true } },
        options: { chunk: { rows: 1, pauseMs: 2000 } },
      });
      await child.reached();
      // Taking back needs the table, so it takes until this has ended.
      await holder.query('START TRANSACTION');
      await holder.query('SELECT COUNT(*) FROM emails');
      child.signal('SIGTERM');
      await untilWaiting(test, /DROP TRIGGER/);
      child.signal('SIGTERM');
      expect(await child.end()).to.equal('SIGTERM');
      await holder.end();
      await untilForgotten();
      await write(10);
      const rows = await seen();
      await test.migrate('ADD COLUMN extra INT');
      expect(await seen()).to.deep.equal(rows);
      await expectNoLeaks(test);
    });

    for (const name of once(['SIGTERM', 'SIGINT'] as const)) {
      it(`by ${name}: it stops cleanly, says so and exits`, async () => {
        const were = await seen();
        child = ChildMigration.start(test, {
          ...{ alter: 'ADD COLUMN extra INT', stop: { phase: 'copy', goOn: true } },
          // Far more than the signal needs to arrive, but bounded.
          options: { chunk: { rows: 1, pauseMs: 2000 } },
        });
        await child.reached();
        child.signal(name);
        const report = await child.report();
        expect(report).to.have.nested.include({
          'error.code': 'LHM_INTERRUPTED',
          'error.outcome': 'rolled-back',
        });
        expect(report).to.have.nested.property('error.message').that.contains(name);
        expect(await child.end()).to.equal(1);
        expect(await seen()).to.deep.equal(were);
        expect(await test.tables()).to.deep.equal(['emails']);
        await expectNoLeaks(test);
        await expectWritable(test);
      });
    }
  });
}
