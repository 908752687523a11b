import { expect } from 'chai';

import { expectTakenBack, expectWritable } from '../support/leak-guard-leftovers';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { TestTable, without, type Options } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** Names that hold the time, and the statement by which the migration takes them. */
const NAMES: readonly (readonly [what: string, match: RegExp, name: RegExp])[] = [
  ['the journal', /^CREATE TABLE \S+_lhmj_/, /`(emails_lhmj_\d+)`/],
  ['the table of keys to compare again', /^CREATE TABLE \S+_lhmr_/, /`(emails_lhmr_\d+)`/],
];

/** What somebody does to the helpers, `#` being the journal. */
const DEEDS: readonly (readonly [what: string, sql: readonly string[], code: string])[] = [
  ['empties the journal', ['UPDATE emails SET size = 1', 'TRUNCATE TABLE #'], 'LHM_TRIGGERS_CHANGED'],
  ['deletes from the journal', ['UPDATE emails SET size = 1', 'DELETE FROM #'], 'LHM_TRIGGERS_CHANGED'],
  ['drops the journal', ['DROP TABLE #'], 'LHM_TRIGGERS_CHANGED'],
  ['renames the journal', ['RENAME TABLE # TO kept'], 'LHM_TRIGGERS_CHANGED'],
  [
    'empties the new table, and its first and last row come back',
    ['TRUNCATE TABLE emails_lhmn', 'UPDATE emails SET size = 1 WHERE id IN (1, 30)'],
    'LHM_GHOST_CHANGED',
  ],
  [
    'puts another table in the place of the new one',
    ['CREATE TABLE fresh LIKE emails_lhmn', 'DROP TABLE emails_lhmn', 'RENAME TABLE fresh TO emails_lhmn'],
    'LHM_GHOST_CHANGED',
  ],
  [
    'gives the new table a trigger',
    ['CREATE TRIGGER theirs BEFORE UPDATE ON emails_lhmn FOR EACH ROW SET NEW.size = 7'],
    'LHM_GHOST_CHANGED',
  ],
];

const PHASES: readonly (readonly [
  phase: string,
  at: RegExp | 'afterRowCopy' | 'beforeCutOver',
  skip?: number,
])[] = [
  ['between two chunks', /^SELECT IS_USED_LOCK/, 4],
  ['after the copy', 'afterRowCopy'],
  ['in the verification', /^SELECT hadron_rows/, 2],
  ['before the cut-over', 'beforeCutOver'],
  ['just before the lock', /^LOCK TABLES .*_lhmn/],
];

for (const { flavor, mode, on, every, once } of serversAndModes()) {
  describe(`the migration's own tables in others' hands on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });
    afterEach(() => test.drop());

    /** Somebody takes the name just when the migration is about to: it is theirs, and everything else is taken back. */
    async function expectTheirs(match: RegExp, name: RegExp, options: Options = {}): Promise<void> {
      let taken = '';
      intercept(test.knex, {
        ...{ match, when: 'before' },
        run: async (_id, sql) => {
          taken = name.exec(sql)![1]!;
          await test.query(`CREATE TABLE ${taken} (id INT PRIMARY KEY, precious VARCHAR(10))`);
          await test.query(`INSERT INTO ${taken} VALUES (1, 'gold')`);
        },
      });
      const error = await test.failure(ADD_COLUMN, options);
      const told = `${error.code}, ${error.outcome}: ${error.message}`;
      expect(error.code, told).to.equal('LHM_NAME_TAKEN');
      expect(error.message).to.contain(taken);
      expect(error.outcome, told).to.be.oneOf(['untouched', 'rolled-back']);
      expect(error.leftovers, told).to.deep.equal([]);
      expect(await test.rows(taken)).to.deep.equal([{ id: 1, precious: 'gold' }]);
      expect(await test.rows()).to.deep.equal(was.rows);
      expect(await test.definition()).not.to.contain('`extra`');
      await expectNoLeaks(test, [taken]);
      await expectWritable(test);
    }

    for (const [what, match, name] of once(NAMES)) {
      it(`somebody takes the name of ${what} at the last moment: it is not touched`, () =>
        expectTheirs(match, name));
    }

    for (const strategy of atomicStrategiesOf(flavor)) {
      const match = strategy === 'sentry' ? /^CREATE TABLE .*sentry/ : /^RENAME TABLE/;
      it(`somebody takes the name of the old table at the last moment, with ${strategy}: it is not touched`, () =>
        expectTheirs(match, /`(emails_lhmo_\d+)`/, { cutOver: { strategy } }));
    }

    it('a change that leaves the definition as it is: nothing is claimed when the name of the old table is taken', async () => {
      const error = await test.failure('FORCE', {
        hooks: {
          beforeCutOver: async ({ oldTable }) => {
            await test.query(`CREATE TABLE ${oldTable} (id INT PRIMARY KEY)`);
          },
        },
      });
      expect(error.code).to.equal('LHM_NAME_TAKEN');
      expect(error.outcome).to.be.oneOf(['unknown', 'rolled-back']);
      expect(await test.rows()).to.deep.equal(was.rows);
      for (const { sql } of error.leftovers) await test.query(sql);
      await expectNoLeaks(test);
    });

    for (const [what, sql, code] of DEEDS) {
      for (const [phase, at, skip = 0] of every(4, PHASES)) {
        it(`somebody ${what}, ${phase}: nothing is swapped`, async () => {
          let done = false;
          const does = async (): Promise<void> => {
            done = true;
            const journal = (await test.tables()).find((name) => /_lhmj_/.test(name))!;
            for (const statement of sql) await test.query(statement.replace('#', journal));
            was = { ...was, rows: await test.rows() };
          };
          if (typeof at !== 'string') intercept(test.knex, { match: at, when: 'before', skip, run: does });
          const error = await test.failure(ADD_COLUMN, {
            ...{ chunk: { rows: 7 }, verify: { rows: 7 } },
            hooks: typeof at === 'string' ? { [at]: does } : {},
          });
          expect(done).to.equal(true);
          await test.query('DROP TABLE IF EXISTS kept');
          await expectTakenBack(test, error, was, { code });
        });
      }
    }
  });

  describe(`a server that loses what it had said was committed, on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let was: Record<string, unknown>[];

    before(async () => {
      const args = [
        '--innodb-flush-log-at-trx-commit=0',
        '--innodb-flush-log-at-timeout=2700',
        '--sync-binlog=0',
      ];
      server = await startServer(flavor, { args, mode });
    });
    after(() => server.stop());
    afterEach(() => test.drop());

    /** What was written last may be lost with it; the log of changes may have it all the same. */
    const crash = async (locked: boolean): Promise<void> => {
      if (!locked) {
        await test.query('UPDATE emails SET size = size + 1 WHERE id IN (2, 9, 29)');
        await test.query("INSERT INTO emails (id, address) VALUES (500, 'just before')");
      }
      await server.kill();
      await server.start();
      await test.reconnect();
      was = await test.rows();
    };
    const places: readonly (readonly [what: string, match: RegExp, skip: number])[] = [
      ['after the first chunk', /^SELECT IS_USED_LOCK/, 3],
      ['in the middle of the copy', /^SELECT IS_USED_LOCK/, 5],
      ['in the verification', /^SELECT hadron_rows/, 2],
      ['before the lock of the cut-over', /^LOCK TABLES .*_lhmn/, 0],
      ['while the lock is held', /^RENAME TABLE/, 0],
    ];
    // Without a verification nothing mends what was missed.
    for (const verify of every(2, [false, true])) {
      for (const [what, match, skip] of every(2, places)) {
        if (!verify && what === 'in the verification') continue;
        it(`${what}, verify: ${verify}: every row is there, or it is told`, async () => {
          test = await TestTable.create(server);
          const down = intercept(test.knex, {
            ...{ match, when: 'before', skip },
            run: () => crash(what === 'while the lock is held'),
          });
          const error = await test
            .migrate(ADD_COLUMN, {
              ...{ chunk: { rows: 7 }, verify: verify && { rows: 7 }, reconnectMs: 60_000 },
              cutOver: { backoffMs: 10 },
            })
            .then(
              () => null,
              (reason: unknown) => reason as { code: string; outcome: string; message: string },
            );
          expect(down.happened).to.equal(true);
          expect(without(await test.rows(), 'extra')).to.deep.equal(was);
          if (error === null) expect(await test.definition()).to.contain('`extra`');
          else {
            // The journal's first row may be among what was lost.
            expect(error.code, error.message).to.be.oneOf(['LHM_CONNECTION_LOST', 'LHM_TRIGGERS_CHANGED']);
            expect(error.outcome, error.message).to.equal('rolled-back');
          }
          await expectNoLeaks(test);
          await expectWritable(test);
        });
      }
    }
  });
}
