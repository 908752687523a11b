import { expect } from 'chai';
import type { RowDataPacket } from 'mysql2';

import type { LargeHadronError } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack, expectTruthfulLeftovers, expectWritable } from '../support/leak-guard-leftovers';
import { startServer, type Mode, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { migrationConnections, until, untilWaiting } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';
import { some } from './some';

/** A connection that is gone shows as that, or as the lock that went with it. */
const GONE = /^LHM_(CONNECTION_LOST|OWNERSHIP_LOST)$/;

const ROLES = ['observer', 'work'] as const;
type Role = (typeof ROLES)[number];

type Place = readonly [what: string, match: RegExp, when: 'before' | 'after', role: Role];

const SMALL_CHUNKS = { chunk: { rows: 7 }, verify: { rows: 7 } };

const LOG_STATUS = /^SHOW (?:BINARY LOG|MASTER) STATUS/;

/** Statements of the migration before which their connection is killed, as long as nothing was copied. */
const EARLY: readonly [what: string, match: RegExp, only?: Mode][] = [
  ['the ghost is created', /^CREATE TABLE (?!.*sentry).*_lhmn/s],
  ['the ghost is altered', /^ALTER TABLE .*_lhmn.*extra/i],
  ['the lock for the triggers is asked for', /^LOCK TABLES .*_lhmj_\d+` WRITE$/, 'triggers'],
  ['the second trigger is created', /^CREATE TRIGGER .*_lhmu/, 'triggers'],
  ['the lock for the triggers is released', /^UNLOCK TABLES/, 'triggers'],
  ['the changelog is created', /^CREATE TABLE .*_lhmc_/, 'binlog'],
  ['the log is asked for', /^SET @master_heartbeat_period/, 'binlog'],
  ['it is asked what the log leaves out', LOG_STATUS, 'binlog'],
  ['it is asked how far the log goes', LOG_STATUS, 'binlog'],
];

/** And later, when what was copied is worth more than the connection. */
const LATE: readonly [what: string, match: RegExp, only?: Mode][] = [
  ['a chunk is copied', /^INSERT INTO \S+_lhmn`(?!.*FALSE)/],
  ['the place reached is written down', /^UPDATE .* SET copied_to/],
  ['rows are compared', /hadron_differing/],
  ['the new table is analysed', /^ANALYZE TABLE/],
  ['the lock of the cut-over is asked for', /^LOCK TABLES .*_lhmn/],
  ['the tables are renamed', /^RENAME TABLE/],
  [
    'the journal is looked at once more',
    /^SELECT COUNT\(\*\) AS entries FROM \S+_lhmj_\S+ WHERE.*LOCK IN SHARE/,
  ],
  ['a trigger is dropped', /^DROP TRIGGER IF EXISTS \S+_lhmu/, 'triggers'],
  ['a mark is written', /^UPDATE \S+_lhmc_\S+ SET mark = [3-9]/, 'binlog'],
  ['the state table is dropped', /^DROP TABLE IF EXISTS \S+_lhms/],
];

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  const strategies = flavor === 'mysql' ? (['rename-under-lock', 'sentry'] as const) : (['sentry'] as const);

  describe(`lost connections on ${on}`, function () {
    this.timeout(300_000);
    const fits = ([, , only = mode]: (typeof LATE)[number]): boolean => only === mode;

    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });

    afterEach(() => test.drop());

    /** Kills a connection and waits until it has gone. */
    async function kill(id: number): Promise<void> {
      await test.query(`KILL ${id}`);
      await until(`the end of connection ${id}`, async () =>
        (await migrationConnections(test)).some((row) => row.Id === id) ? undefined : true,
      );
    }

    async function killRole(role: Role, own: readonly number[] = []): Promise<void> {
      const connections = await migrationConnections(test, own);
      await kill(Number(connections[ROLES.indexOf(role)]?.Id));
    }

    const fails = (options: Options = {}): Promise<LargeHadronError> =>
      test.failure(ADD_COLUMN, { ...SMALL_CHUNKS, ...options });

    /** The migration succeeds as if nothing had happened, and counts right. */
    async function expectMigrated(options: Options): Promise<void> {
      const result = await test.migrate(ADD_COLUMN, { ...SMALL_CHUNKS, ...options });
      expect(result.rowsCopied).to.equal(was.rows.length);
      expect(result.verified).to.include({ rows: was.rows.length, notCompared: 0 });
      expect(await test.definition()).to.contain('`extra`');
      expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      await expectNoLeaks(test);
      await expectWritable(test);
    }

    /** Swapped or as it was, nothing in between, and told so. */
    async function expectEither(options: Options): Promise<void> {
      const error = await test.migrate(ADD_COLUMN, { ...SMALL_CHUNKS, ...options }).then(
        () => null,
        (reason: unknown) => reason as LargeHadronError,
      );
      if (error === null || error.outcome === 'swapped') {
        expect(await test.definition()).to.contain('`extra`');
        expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
        if (error === null) await expectNoLeaks(test);
        else await expectTruthfulLeftovers(test, error);
        await expectWritable(test);
      } else {
        await expectTakenBack(test, error, was, { code: GONE });
      }
    }

    for (const role of ROLES) {
      for (const hook of some(['beforeRowCopy', 'afterRowCopy', 'beforeCutOver'] as const, 1)) {
        it(`the ${role} connection, killed in ${hook}: carries on with a new one`, async () => {
          await expectMigrated({ hooks: { [hook]: () => killRole(role) } });
        });

        itOnce(
          `the ${role} connection, killed in ${hook}, where none may be made anew: the table is as it was`,
          async () => {
            const error = await fails({ hooks: { [hook]: () => killRole(role) }, reconnectMs: 0 });
            await expectTakenBack(test, error, was, { code: GONE });
          },
        );
      }

      itOnce(`the ${role} connection, killed after the swap: the clean-up carries on`, async () => {
        await expectMigrated({ hooks: { afterCutOver: () => killRole(role) } });
      });

      itOnce(
        `the ${role} connection, killed after the swap, where none may be made anew: said to be swapped, with what is left`,
        async () => {
          const error = await fails({ hooks: { afterCutOver: () => killRole(role) }, reconnectMs: 0 });
          expect(error.code).to.match(GONE);
          expect(error.outcome).to.equal('swapped');
          await expectTruthfulLeftovers(test, error);
          expect(await test.definition()).to.contain('`extra`');
          await expectWritable(test);
        },
      );

      it(`the ${role} connection, killed while the cut-over waits for a transaction`, async () => {
        const holder = await test.connect();
        const [[own]] = await holder.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
        let killed: Promise<unknown> | undefined;
        const asked = /^LOCK TABLES .*_lhmn/;
        await expectMigrated({
          hooks: {
            beforeCutOver: async () => {
              await holder.query('START TRANSACTION');
              await holder.query('SELECT COUNT(*) FROM emails');
              killed = untilWaiting(test, asked)
                .then(() => killRole(role, [Number(own?.['id'])]))
                .finally(() => holder.query('ROLLBACK'));
            },
          },
        });
        await killed;
        expect(killed).not.to.equal(undefined);
      });
    }

    it('the work connection, killed while it waits for the lock to create the triggers', async function () {
      if (mode === 'binlog') return this.skip();
      const holder = await test.connect();
      await holder.query('START TRANSACTION');
      await holder.query('SELECT COUNT(*) FROM emails');
      const error = fails();
      const waiting = await untilWaiting(test, /LOCK TABLES/);
      await kill(waiting.Id);
      await holder.query('ROLLBACK');
      await expectTakenBack(test, await error, was, { code: GONE, phase: 'capture' });
    });

    describe('the connection itself, killed before', () => {
      for (const [what, match] of every(2, some(EARLY.filter(fits), 2))) {
        it(`${what}: the table is as it was`, async () => {
          // The checks ask for what the log leaves out first; MariaDB answers the name MySQL has for it with an error.
          const skip = /how far/.test(what) ? (flavor === 'mysql' ? 1 : 2) : 0;
          const killed = intercept(test.knex, { match, when: 'before', skip, run: kill });
          const outcome = /ghost|leaves out/.test(what) ? 'untouched' : 'rolled-back';
          await expectTakenBack(test, await fails(), was, { code: GONE, outcome });
          expect(killed.happened).to.equal(true);
        });
      }

      for (const [what, match] of every(2, some(LATE.filter(fits), 3))) {
        for (const strategy of match.test('RENAME TABLE') ? strategies : (['auto'] as const)) {
          it(`${what} (${strategy}): carries on with a new one`, async () => {
            const killed = intercept(test.knex, { match, when: 'before', run: kill });
            await expectMigrated({ cutOver: { strategy } });
            expect(killed.happened).to.equal(true);
          });

          it(`${what} (${strategy}), where none may be made anew: swapped or as it was`, async () => {
            const killed = intercept(test.knex, { match, when: 'before', run: kill });
            await expectEither({ cutOver: { strategy }, reconnectMs: 0 });
            expect(killed.happened).to.equal(true);
          });
        }
      }
    });

    for (const strategy of strategies) {
      describe(`around the swap by ${strategy}`, () => {
        const sentryOnly: readonly Place[] = [
          ['the work connection before it drops the sentry', /^DROP TABLE .*_lhmo_/, 'before', 'work'],
          ['the observer before the sentry is dropped', /^DROP TABLE .*_lhmo_/, 'before', 'observer'],
          ['the work connection before the RENAME is sent', /^RENAME TABLE/, 'before', 'work'],
        ];
        const places: readonly Place[] = [
          ['the work connection when it holds the lock', /^LOCK TABLES .*_lhmn/, 'after', 'work'],
          ['the observer when the lock is held', /^LOCK TABLES .*_lhmn/, 'after', 'observer'],
          ['the observer before the RENAME is sent', /^RENAME TABLE/, 'before', 'observer'],
          ['the work connection when the tables were renamed', /^RENAME TABLE/, 'after', 'work'],
          ['the observer when the tables were renamed', /^RENAME TABLE/, 'after', 'observer'],
          ...(strategy === 'sentry' ? sentryOnly : []),
        ];
        for (const [what, match, when, role] of every(3, some(places, 3))) {
          it(`${what}: carries on with a new one`, async () => {
            const killed = intercept(test.knex, { match, when, run: () => killRole(role) });
            await expectMigrated({ cutOver: { strategy } });
            expect(killed.happened).to.equal(true);
          });

          it(`${what}, where none may be made anew: swapped or as it was, and told so`, async () => {
            const killed = intercept(test.knex, { match, when, run: () => killRole(role) });
            await expectEither({ cutOver: { strategy }, reconnectMs: 0 });
            expect(killed.happened).to.equal(true);
          });
        }
      });
    }
  });
}
