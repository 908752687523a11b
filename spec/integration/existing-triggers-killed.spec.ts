import { expect } from 'chai';

import { largeHadronCleanUp } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { TestTable } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ChildMigration, type ChildOrder } from '../support/test-table-process';
import { auditCounts, auditTable, expectInOrder, sum, writeAudited } from '../support/triggers/audit';
import { triggerFacts } from '../support/triggers/trigger-facts';

type Stop = ChildOrder['stop'];

/** Triggers of `auditTable`. Each was made twice under its stand-in's name, and once as a guard, when it was tried. */
const TRIGGERS = 7;

/** The statements that give the `nth` trigger its name, in their order. */
function renaming(nth: number): readonly (readonly [what: string, stop: Stop])[] {
  const after = (statement: string, skip: number): Stop => ({ statement, when: 'after', skip: skip + nth });
  return [
    ['the guard is there', after('^CREATE .*TRIGGER .*lhmg_.* PRECEDES lhmt_', TRIGGERS)],
    ['the stand-in is gone', after('^DROP TRIGGER .*lhmt_', 2 * TRIGGERS)],
    ["the old table's is gone", after('^DROP TRIGGER .*`emails_(?!lhm)', 0)],
    ['the real one is there', after('^CREATE .*TRIGGER .?emails_(?!lhm).* PRECEDES lhmg_', 0)],
    ['the guard is gone', after('^DROP TRIGGER .*lhmg_', TRIGGERS)],
  ].map(([what, stop]) => [`${what as string} (${nth + 1} of ${TRIGGERS})`, stop as Stop] as const);
}

const UNTIL_SWAPPED: readonly (readonly [what: string, stop: Stop])[] = [
  ['a stand-in is tried', { statement: '^CREATE .*TRIGGER .*lhmt_', when: 'after' }],
  ['it is written down', { statement: '^REPLACE .*steps', when: 'after' }],
  ['one stand-in is there', { statement: '^CREATE .*TRIGGER .*lhmt_', when: 'after', skip: 2 * TRIGGERS }],
  ['all stand-ins are', { statement: '^CREATE .*TRIGGER .*lhmt_', when: 'after', skip: 3 * TRIGGERS - 1 }],
  ['the tables are about to be swapped', { statement: '^RENAME TABLE', when: 'before' }],
  ['the tables are swapped', { statement: '^RENAME TABLE', when: 'after' }],
];

/** Done in the same way whatever the strategy was. */
const AFTERWARDS: typeof UNTIL_SWAPPED = [
  ['both tables are locked', { statement: '^LOCK TABLES [^,]*, [^,]*_lhmo_\\d+. WRITE$', when: 'after' }],
  ...renaming(0),
  ...renaming(4),
  ['all is done', { hook: 'afterCutOver' }],
];

for (const { flavor, mode, on, every, once } of serversAndModes()) {
  describe(`a process that is killed while the table's triggers change hands on ${on}`, function () {
    this.timeout(300_000);
    let server: RunningServer;
    let test: TestTable;
    let child: ChildMigration | undefined;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(async () => {
      await child?.kill();
      await test.drop();
    });

    /** Leaves the table as the process left it that was killed there. */
    async function killAt(
      stop: Stop,
      strategy: 'sentry' | 'rename-under-lock',
      staying: readonly number[] = [],
    ): Promise<void> {
      const options = { cutOver: { strategy, oldReadViews: 'ignore' } } as const;
      child = ChildMigration.start(test, { alter: 'ADD COLUMN extra INT', stop, options });
      await child.reached();
      await child.kill();
      await until('the end of the killed connections', async () =>
        (await migrationConnections(test)).every(({ Id }) => staying.includes(Id)) ? true : undefined,
      );
    }

    for (const [n, strategy] of every(2, [...atomicStrategiesOf(flavor).entries()])) {
      const places = n === 0 ? [...UNTIL_SWAPPED, ...AFTERWARDS] : UNTIL_SWAPPED;
      for (const [i, [what, stop]] of every(5, [...places.entries()])) {
        const next = i % 2 === 0 ? 'the next run' : 'the clean-up';
        it(`when ${what} (${strategy}): every write fires each of them once, and ${next} puts it right`, async () => {
          const before = await auditTable(test);
          await killAt(stop, strategy);
          const written = await writeAudited(test, 5000);
          expect(await auditCounts(test)).to.deep.equal(written);
          if (i % 2 === 0) await test.migrate('ADD COLUMN another INT');
          else await largeHadronCleanUp('emails', { knex: test.knex });
          expect(await triggerFacts(test)).to.deep.equal(before);
          expect(await auditCounts(test)).to.deep.equal(written);
          const more = await writeAudited(test, 6000);
          expect(await auditCounts(test)).to.deep.equal(sum(written, more));
          await expectInOrder(test);
          await expectNoLeaks(test);
        });
      }
    }

    for (const [what, stop] of once(renaming(2).slice(0, 4))) {
      it(`when ${what}: a transaction with an older view fires it once, or is told to begin anew`, async () => {
        await auditTable(test);
        const reader = await test.connect();
        await reader.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
        await reader.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
        await killAt(stop, 'sentry', [reader.threadId]);
        const answer = await reader.query("INSERT INTO emails (id, address) VALUES (7000, 'late')").then(
          () => 0,
          (error: unknown) => (error as { errno: number }).errno,
        );
        await reader.query('UPDATE emails SET size = 1 WHERE id = 7000').catch(() => undefined);
        await reader.query('COMMIT');
        const [row] = await test.query('SELECT note FROM emails WHERE id = 7000');
        // The third in the order is the first that is fired by INSERT.
        if (flavor === 'mysql') expect([0, 1412]).to.include(answer);
        else expect(answer).to.equal(0);
        expect(row?.['note']).to.equal(answer === 0 ? 'ab' : undefined);
        expect((await auditCounts(test))['insert'] ?? 0).to.equal(answer === 0 ? 1 : 0);
        await largeHadronCleanUp('emails', { knex: test.knex });
        await expectNoLeaks(test);
      });
    }
  });
}
