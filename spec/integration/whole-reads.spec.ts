import { expect } from 'chai';
import type { Connection } from 'mysql2';

import type { Database } from '../../lib/database/database';
import { liveLock, type BoundedLock } from '../../lib/database/metadata-locks';
import { connectDatabase } from '../../lib/database/mysql-database';
import { patientSession } from '../../lib/database/patient-session';
import type { Session } from '../../lib/database/session';
import { readCreated } from '../../lib/guard/table-id';
import { readTriggers } from '../../lib/schema/read-table-schema';
import { expectNoLeaks } from '../support/leak-guard';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** How an application may have it that no warning can be asked for. */
const SILENCED = ['nowhere', 'by the server', 'by afterCreate'] as const;

for (const flavor of availableFlavors()) {
  describe(`reads of a table that somebody's DDL holds on ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let databases: Database[];
    let others: Database;
    let ddl: Session;
    let renaming: Promise<unknown>;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      await test.query('CREATE TABLE zebras (id INT PRIMARY KEY)');
      await test.query('CREATE TABLE letters (id INT PRIMARY KEY)');
      renaming = Promise.resolve();
      others = await connectDatabase(test.makeKnex());
      databases = [others];
      const locker = await others.open('locker');
      await locker.execute(`LOCK TABLES ${test.database}.zebras WRITE`);
      ddl = await others.open('ddl');
      await ddl.execute('SET SESSION lock_wait_timeout = 300');
    });
    afterEach(async () => {
      await letGo();
      for (const database of databases) await database.close();
      await test.drop();
    });

    /** A RENAME that has its first table, and waits for the second. */
    async function hold(table: string): Promise<void> {
      renaming = ddl
        .execute(
          `RENAME TABLE ${test.database}.${table} TO ${test.database}.gone, ${test.database}.zebras TO ${test.database}.lions`,
        )
        .catch(() => undefined);
      await until('the RENAME waits', async () => {
        const rows = await test.query<{ Id: number; State: string | null }>('SHOW PROCESSLIST');
        return rows.some(({ Id, State }) => Id === ddl.id && /metadata lock/i.test(State ?? ''))
          ? true
          : undefined;
      });
    }

    async function letGo(): Promise<void> {
      await test.query(`KILL QUERY ${ddl.id}`).catch(() => undefined);
      await renaming;
    }

    async function open(): Promise<Session> {
      const database = await connectDatabase(test.knex);
      databases.push(database);
      return database.open('reader');
    }

    const name = (): { schema: string; table: string } => ({ schema: test.database, table: 'emails' });
    const names = async (session: Session): Promise<string[]> =>
      (await readTriggers(session, name())).map((row) => row.name);
    const errno = (error: unknown): number | undefined => (error as { errno?: number }).errno;

    for (const silenced of SILENCED) {
      it(`that are not granted their lock do not pass for a table without triggers; silenced ${silenced}`, async () => {
        await test.query('CREATE TRIGGER theirs AFTER INSERT ON emails FOR EACH ROW SET @a = 1');
        const knex = test.makeKnex({
          pool: {
            afterCreate: (connection: Connection, done: (error: unknown) => void) =>
              connection.query(
                `SET SESSION max_error_count = ${silenced === 'by afterCreate' ? 0 : 64}`,
                done,
              ),
          },
        });
        await test.withGlobal('max_error_count', silenced === 'by the server' ? '0' : '64', async () => {
          const database = await connectDatabase(silenced === 'by afterCreate' ? knex : test.knex);
          databases.push(database);
          const reader = await database.open('reader');
          await hold('emails');
          await reader.execute('SET SESSION lock_wait_timeout = 1');
          // Either what is there, or an error that says why not.
          const found = await names(reader).catch(errno);
          if (flavor === 'mysql') expect(found).to.deep.equal(['theirs']);
          else expect(found).to.equal(1205);
          if (silenced !== 'nowhere') return;
          const created = await readCreated(reader, name()).catch(errno);
          if (flavor === 'mysql') expect(created).to.match(/^\d{4}-/);
          else expect(created).to.equal(1205);
        });
      });
    }

    it('are repeated for as long as the session is patient', async () => {
      await test.query('CREATE TRIGGER theirs AFTER INSERT ON emails FOR EACH ROW SET @a = 1');
      const reader = await open();
      await hold('emails');
      const pauses: number[] = [];
      const pause: BoundedLock['pause'] = async (attempt) => {
        pauses.push(attempt);
        if (attempt === 50) await letGo();
      };
      const patient = patientSession(reader, { ...liveLock(Infinity), attempts: 60, pause });
      expect(await names(patient)).to.deep.equal(['theirs']);
      expect(pauses).to.have.length(flavor === 'mysql' ? 0 : 50);
    });

    it('are given up at once by one that has no patience', async () => {
      await test.query('CREATE TRIGGER theirs AFTER INSERT ON emails FOR EACH ROW SET @a = 1');
      const reader = await open();
      await hold('emails');
      let looks = 0;
      const counting = patientSession(
        new Proxy(reader, {
          get: (target, key) => {
            if (key === 'raw') looks++;
            const value: unknown = Reflect.get(target, key, target);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        }),
        liveLock(0),
      );
      const found = await names(counting).catch(errno);
      expect(found).to.deep.equal(flavor === 'mysql' ? ['theirs'] : 1205);
      expect(looks).to.be.at.most(4);
    });

    it('do not hold up the preflight of a migration that has no need of the table', async () => {
      await hold('letters');
      let passed = false;
      await test.migrate(ADD_COLUMN, {
        hooks: {
          onValidated: async () => {
            passed = true;
            await letGo();
          },
        },
      });
      expect(passed).to.equal(true);
    });

    it('do not let a migration pass over a name that is taken', async () => {
      await test.query('CREATE TRIGGER emails_lhmi AFTER INSERT ON letters FOR EACH ROW SET @a = 1');
      await hold('letters');
      const error = await test.failure(ADD_COLUMN, { giveUpAfterMs: 200 });
      const code = flavor === 'mysql' ? 'LHM_NAME_TAKEN' : 'LHM_LOCK_TIMEOUT';
      expect(error).to.include({ code, phase: 'preflight', outcome: 'untouched' });
    });

    if (flavor === 'mariadb') {
      it('that fail a migration which has captured nothing leave nothing, and it says so', async () => {
        const place = { match: /TRIGGERS[^]*ORDER BY EVENT_MANIPULATION/, when: 'before' } as const;
        const held = intercept(test.knex, { ...place, run: () => hold('emails') });
        const error = await test.failure(ADD_COLUMN, { giveUpAfterMs: 200 });
        expect(held.happened).to.equal(true);
        expect(error).to.include({ code: 'LHM_LOCK_TIMEOUT', phase: 'clone', outcome: 'untouched' });
        expect(error.leftovers).to.deep.equal([]);
        expect((await test.tables()).filter((table) => table.includes('_lhm'))).to.deep.equal([]);
        await letGo();
        await test.migrate(ADD_COLUMN, { knex: test.makeKnex() });
        for (const database of databases) await database.close();
        await expectNoLeaks(test);
      });
    }
  });
}
