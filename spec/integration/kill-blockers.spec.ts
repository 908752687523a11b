import { expect } from 'chai';
import type { Connection } from 'mysql2/promise';

import type { MigrationResult } from '../../lib';
import { createAccount, NEEDED } from '../support/account';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type Flavor, type RunningServer } from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';

const WATCHING: Record<Flavor, readonly string[]> = {
  mysql: [],
  mariadb: ['--performance-schema=ON', '--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON'],
};

/** Left to itself, an attempt that was in vain is followed by twenty times as long a rest; this is enough to see who holds on. */
const KILL: Options = {
  cutOver: { killBlockers: true, attempts: 8, backoffMs: 100, backoffMaxMs: 200 },
  giveUpAfterMs: 6000,
};

for (const { flavor, mode, on, every, itOnce } of serversAndModes()) {
  describe(`connections in the way that are killed on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let was: Record<string, unknown>[];

    before(async () => {
      const args = [...WATCHING[flavor], '--event-scheduler=ON', '--log-bin-trust-function-creators=1'];
      server = await startServer(flavor, { args, mode });
    });
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = await test.rows();
    });
    afterEach(() => test.drop());

    async function migrate(before: () => Promise<unknown>, options: Options = {}): Promise<MigrationResult> {
      const hooks = { beforeCutOver: () => before().then(() => undefined) };
      const result = await test.migrate(ADD_COLUMN, {
        ...{ ...KILL, hooks, ...options },
        cutOver: { ...KILL.cutOver, ...options.cutOver },
      });
      expect(await test.definition()).to.contain('`extra`');
      return result;
    }

    const isAlive = (client: Connection): Promise<boolean> =>
      client.query('SELECT 1').then(
        () => true,
        () => false,
      );

    const HOLDERS: Readonly<Record<string, readonly string[]>> = {
      'an open transaction that has written': [
        'START TRANSACTION',
        "UPDATE emails SET note = 'never' WHERE id = 3",
      ],
      'an open transaction that has read': ['START TRANSACTION', 'SELECT * FROM emails'],
      'a lock on the table': ['LOCK TABLES emails READ'],
    };

    for (const [what, statements] of every(3, Object.entries(HOLDERS))) {
      it(`${what}: killed, named, and the swap is made`, async () => {
        const holder = await test.connect();
        const result = await migrate(async () => {
          for (const sql of statements) await holder.query(sql);
        });
        expect(result.cutOver.killed.map(({ connection }) => connection)).to.deep.equal([holder.threadId]);
        expect(result.cutOver.killed[0]?.user).to.equal(server.connection.user);
        expect(result.cutOver.killed[0]?.heldMs).to.be.at.least(1000);
        expect(await isAlive(holder)).to.equal(false);
        expect(without(await test.rows(), 'extra')).to.deep.equal(was);
        await expectNoLeaks(test);
      });
    }

    itOnce('a statement that runs for long: killed', async () => {
      const holder = await test.connect();
      let running: Promise<unknown> | undefined;
      const result = await migrate(async () => {
        running = holder.query('SELECT SLEEP(30) FROM emails').catch((error: unknown) => error);
        await Promise.resolve();
      });
      expect(result.cutOver.killed.map(({ connection }) => connection)).to.deep.equal([holder.threadId]);
      expect(await running).to.be.instanceOf(Error);
      await expectNoLeaks(test);
    });

    itOnce(
      'connections that hold the table only now and then, however often, and bystanders: left alone',
      async () => {
        const busy = await Promise.all(Array.from({ length: 3 }, () => test.connect()));
        const bystander = await test.connect();
        await test.query('CREATE TABLE other (id INT PRIMARY KEY)');
        const holder = await test.connect();
        let stop = false;
        const errors: unknown[] = [];
        const work = async (client: Connection, id: number): Promise<void> => {
          while (!stop) {
            await client.query('START TRANSACTION');
            await client.query('UPDATE emails SET size = size + 1 WHERE id = ?', [id]);
            await client.query('DO SLEEP(0.05)');
            await client.query('COMMIT');
          }
        };
        let working: Promise<unknown> = Promise.resolve();
        const result = await migrate(
          async () => {
            await bystander.query('START TRANSACTION');
            await bystander.query('INSERT INTO other VALUES (1)');
            await holder.query('START TRANSACTION');
            await holder.query('SELECT * FROM emails');
            working = Promise.all(busy.map((client, i) => work(client, i + 1))).catch((error: unknown) =>
              errors.push(error),
            );
          },
          { cutOver: { attempts: 40, oldReadViews: 'ignore' }, giveUpAfterMs: false },
        ).finally(() => (stop = true));
        await working;
        expect(errors).to.deep.equal([]);
        expect(result.cutOver.killed.map(({ connection }) => connection)).to.deep.equal([holder.threadId]);
        for (const client of [...busy, bystander]) expect(await isAlive(client)).to.equal(true);
        await bystander.query('ROLLBACK');
        await test.query('DROP TABLE other');
        await expectNoLeaks(test);
      },
    );

    it('a prepared XA transaction and an event of the server: left alone', async () => {
      const holder = await test.connect();
      await test.query('CREATE TABLE gate (id INT PRIMARY KEY)');
      let waits = 0;
      let waited = false;
      let committed: Promise<unknown> | undefined;
      const hold = async (): Promise<void> => {
        await holder.query("XA START 'x'");
        await holder.query("UPDATE emails SET note = 'prepared' WHERE id = 3");
        await holder.query("XA END 'x'");
        await holder.query("XA PREPARE 'x'");
        await test.query(
          'CREATE EVENT slow ON SCHEDULE AT CURRENT_TIMESTAMP DO BEGIN DECLARE n INT; SELECT COUNT(*) + SLEEP(15) INTO n FROM emails; INSERT INTO gate VALUES (1); END',
        );
      };
      const result = await migrate(hold, {
        ...{ cutOver: { attempts: 100 }, giveUpAfterMs: false },
        progress: ({ phase, waitingFor }) => {
          if (phase !== 'cut-over') return;
          if (waitingFor !== null && !waited) waits += 1;
          waited = waitingFor !== null;
          // By then both have been seen to hold the table for longer than the patience, twice.
          if (waits === 2) committed ??= holder.query("XA COMMIT 'x'");
        },
      });
      await committed;
      expect(committed).not.to.equal(undefined);
      expect(result.cutOver.killed).to.deep.equal([]);
      expect(result.cutOver.attempts).to.be.at.least(3);
      expect(await isAlive(holder)).to.equal(true);
      expect((await test.rows())[2]).to.include({ note: 'prepared' });
      await until('the end of the event', async () =>
        (await test.rows('gate')).length === 1 ? true : undefined,
      );
      await test.query('DROP TABLE gate');
      await expectNoLeaks(test);
    });

    itOnce('unless it is asked for, nobody is', async () => {
      const holder = await test.connect();
      const hold = async (): Promise<void> => {
        await holder.query('START TRANSACTION');
        await holder.query('SELECT * FROM emails');
      };
      const error = await test.failure(ADD_COLUMN, {
        ...{ hooks: { beforeCutOver: hold }, cutOver: { attempts: 2, backoffMs: 100, backoffMaxMs: 200 } },
        giveUpAfterMs: 4000,
      });
      expect(error).to.include({ code: 'LHM_CUT_OVER_BLOCKED' });
      expect(await isAlive(holder)).to.equal(true);
    });

    itOnce(
      'an account that may not: refused before anything is touched, and the grant is named',
      async () => {
        const { knex } = await createAccount(test, NEEDED, ['PROCESS']);
        const error = await expectRefused(
          test,
          { code: 'LHM_PREFLIGHT', problems: ['LHM_MISSING_PRIVILEGE', 'LHM_MISSING_PRIVILEGE'] },
          () => test.failure(ADD_COLUMN, { ...KILL, knex }),
        );
        expect(error.hint)
          .to.match(/GRANT CONNECTION.ADMIN ON \*\.\*/)
          .and.contain('GRANT SELECT ON performance_schema.*');
        const grant = flavor === 'mysql' ? 'CONNECTION_ADMIN' : 'CONNECTION ADMIN';
        const able = await createAccount(test, NEEDED, ['PROCESS', grant]);
        await test.query(`GRANT SELECT ON performance_schema.* TO ${able.grantee}`);
        // Not the administrator's, whose connections MySQL lets none but its like end.
        const { user } = await createAccount(test, NEEDED);
        const holder = await test.connect({ user, password: 'secret' });
        const hold = async (): Promise<void> => {
          await holder.query('START TRANSACTION');
          await holder.query('SELECT * FROM emails');
        };
        const { cutOver } = await test.migrate(ADD_COLUMN, {
          ...{ ...KILL, knex: able.knex, hooks: { beforeCutOver: hold } },
        });
        expect(cutOver.killed).to.have.length(1);
      },
    );
  });
}
