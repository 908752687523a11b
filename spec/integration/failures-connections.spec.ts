import { expect } from 'chai';
import type { RowDataPacket } from 'mysql2';

import type { LargeHadronError } from '../../lib';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack, expectTruthfulLeftovers, expectWritable } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { migrationConnections, until, untilWaiting } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** A connection that is gone shows as that, or as the lock that went with it. */
const GONE = /^LHM_(CONNECTION_LOST|OWNERSHIP_LOST)$/;

const ROLES = ['observer', 'work'] as const;
type Role = (typeof ROLES)[number];

type Place = readonly [what: string, match: RegExp, when: 'before' | 'after', role: Role];

const SMALL_CHUNKS = { chunk: { rows: 7 }, verify: { rows: 7 } };

/** Statements of the migration at which its own or its other connection is killed, before they are sent. */
const PLACES: readonly [what: string, match: RegExp][] = [
  ['the ghost is created', /^CREATE TABLE (?!.*sentry).*_lhmn/s],
  ['the ghost is altered', /^ALTER TABLE .*_lhmn.*extra/i],
  ['the lock for the triggers is asked for', /^LOCK TABLES .*_lhmj_\d+` WRITE$/],
  ['the second trigger is created', /^CREATE TRIGGER .*_lhmu/],
  ['the lock for the triggers is released', /^UNLOCK TABLES/],
  ['a chunk is copied', /^INSERT INTO \S+_lhmn`(?!.*FALSE)/],
  ['the place reached is written down', /^UPDATE .* SET copied_to/],
  ['rows are compared', /hadron_differing/],
  ['the new table is analysed', /^ANALYZE TABLE/],
  ['the lock of the cut-over is asked for', /^LOCK TABLES .*_lhmn/],
  ['the tables are renamed', /^RENAME TABLE/],
];

for (const flavor of availableFlavors()) {
  const strategies = flavor === 'mysql' ? (['rename-under-lock', 'sentry'] as const) : (['sentry'] as const);

  describe(`lost connections on ${flavor}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => {
      server = await startServer(flavor);
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

    for (const role of ROLES) {
      for (const hook of ['beforeRowCopy', 'afterRowCopy', 'beforeCutOver'] as const) {
        it(`the ${role} connection, killed in ${hook}: the table is as it was`, async () => {
          const error = await fails({ hooks: { [hook]: () => killRole(role) } });
          await expectTakenBack(test, error, was, { code: GONE });
        });
      }

      it(`the ${role} connection, killed after the swap: said to be swapped, with what is left`, async () => {
        const error = await fails({ hooks: { afterCutOver: () => killRole(role) } });
        expect(error.code).to.match(GONE);
        expect(error.outcome).to.equal('swapped');
        await expectTruthfulLeftovers(test, error);
        expect(await test.definition()).to.contain('`extra`');
        await expectWritable(test);
      });

      it(`the ${role} connection, killed while the cut-over waits for a transaction`, async () => {
        const holder = await test.connect();
        const [[own]] = await holder.query<RowDataPacket[]>('SELECT CONNECTION_ID() AS id');
        let killed: Promise<unknown> | undefined;
        const error = await fails({
          hooks: {
            beforeCutOver: async () => {
              await holder.query('START TRANSACTION');
              await holder.query('SELECT COUNT(*) FROM emails');
            },
          },
          progress: ({ waitingFor }) => {
            if (waitingFor === null || killed !== undefined) return;
            killed = killRole(role, [Number(own?.['id'])]).finally(() => holder.query('ROLLBACK'));
          },
        });
        await killed;
        await expectTakenBack(test, error, was, { code: GONE, phase: 'cut-over' });
      });
    }

    it('the work connection, killed while it waits for the lock to create the triggers', async () => {
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
      for (const [what, match] of PLACES) {
        for (const strategy of match.test('RENAME TABLE') ? strategies : (['auto'] as const)) {
          it(`${what} (${strategy})`, async () => {
            const killed = intercept(test.knex, { match, when: 'before', run: kill });
            const migration = test.migrate(ADD_COLUMN, { ...SMALL_CHUNKS, cutOver: { strategy } });
            if (strategy === 'sentry') {
              // The session that renames is another one; the next attempt opens it anew.
              const result = await migration;
              expect(result.cutOver.attempts).to.equal(2);
              expect(await test.definition()).to.contain('`extra`');
              await expectNoLeaks(test);
            } else {
              const error = await migration.then(
                () => expect.fail('the migration succeeded'),
                (reason: unknown) => reason as LargeHadronError,
              );
              const outcome = /ghost/.test(what) ? 'untouched' : 'rolled-back';
              await expectTakenBack(test, error, was, { code: GONE, outcome });
            }
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
        for (const [what, match, when, role] of places) {
          it(`${what}: swapped or as it was, nothing in between, and told so`, async () => {
            const killed = intercept(test.knex, { match, when, run: () => killRole(role) });
            const error = await test.migrate(ADD_COLUMN, { ...SMALL_CHUNKS, cutOver: { strategy } }).then(
              () => null,
              (reason: unknown) => reason as LargeHadronError,
            );
            expect(killed.happened).to.equal(true);
            if (error === null || error.outcome === 'swapped') {
              expect(await test.definition()).to.contain('`extra`');
              expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
              if (error === null) await expectNoLeaks(test);
              else await expectTruthfulLeftovers(test, error);
              await expectWritable(test);
            } else {
              await expectTakenBack(test, error, was, { code: GONE, phase: 'cut-over' });
            }
          });
        }
      });
    }
  });
}
