import { expect } from 'chai';
import type { Knex } from 'knex';

import { largeHadronCleanUp, planLargeHadronMigration, type LargeHadronError, type Phase } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack, expectWritable } from '../support/leak-guard-leftovers';
import { balance, ConnectionProxy, type Link } from '../support/proxy/connection-proxy';
import { renumber, splitStatements } from '../support/proxy/statement-proxy';
import { type Connection, type RunningServer } from '../support/servers';
import { select, withClient } from '../support/servers/client';
import { OWN_SOURCES, startFrom } from '../support/servers/start-server';
import { failureOf, quote, TestTable, type Options } from '../support/test-table';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';

/** Of the library's connections: the first one asks who is there and is closed. */
const OBSERVER = 1;
const WORK = 2;

/** Whichever shows first: that a connection is gone, or that the next one leads elsewhere. */
const LOST_OR_ELSEWHERE = /^LHM_(CONNECTION_LOST|OWNERSHIP_LOST|NOT_ONE_SERVER)$/;

/** What changes something, or would stop somebody. */
const CHANGES = "argument REGEXP '^(CREATE|DROP|ALTER|RENAME|LOCK|INSERT|UPDATE|DELETE|TRUNCATE|KILL)'";

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`one server for all sessions, on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let elsewhere: RunningServer;
    let test: TestTable;
    let proxy: ConnectionProxy | undefined;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => {
      // Our own: two of them, with an account without a password.
      const start = (): Promise<RunningServer> => startFrom(OWN_SOURCES, flavor, { mode });
      [server, elsewhere] = await Promise.all([start(), start()]);
    });

    after(() => Promise.all([server.stop(), elsewhere.stop()]));

    /** The other server has a table of the same name, and what a clean-up would remove. */
    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
      await withClient(elsewhere.connection, async (client) => {
        await client.query(`CREATE DATABASE ${quote(test.database)} CHARACTER SET utf8mb4`);
        await client.query(`USE ${quote(test.database)}`);
        await client.query('CREATE TABLE emails (id INT PRIMARY KEY, address VARCHAR(100) NOT NULL)');
        await client.query('CREATE TABLE emails_lhmn LIKE emails');
        await client.query("SET GLOBAL log_output = 'TABLE'");
        await client.query('TRUNCATE mysql.general_log');
        await client.query('SET GLOBAL general_log = 1');
      });
    });

    afterEach(async () => {
      const [changes, tables] = await withClient(elsewhere.connection, async (client) => {
        await client.query('SET GLOBAL general_log = 0');
        const seen = await select(client, `SELECT argument FROM mysql.general_log WHERE ${CHANGES}`);
        const left = await select(client, `SHOW TABLES FROM ${quote(test.database)}`);
        await client.query(`DROP DATABASE ${quote(test.database)}`);
        return [seen.map(({ argument }) => String(argument)), left.map((row) => Object.values(row)[0])];
      });
      await proxy?.stop();
      proxy = undefined;
      await test.drop();
      expect(changes, 'statements on the other server').to.deep.equal([]);
      expect(tables).to.deep.equal(['emails', 'emails_lhmn']);
    });

    async function through(link: Link): Promise<Knex> {
      proxy = await ConnectionProxy.start(link);
      return test.makeKnex({ pool: { min: 0, max: 1 } }, proxy.address);
    }

    const refused = async (says: RegExp, link: Link, phase: Phase = 'plan'): Promise<void> => {
      const knex = await through(link);
      const expected = { code: 'LHM_NOT_ONE_SERVER', phase, says, hints: /primary itself/ };
      await expectRefused(test, expected, () => test.failure(ADD_COLUMN, { knex }));
    };

    const alternate = (from: number): ((number: number) => Connection) => {
      return (number) => ((number - from) % 2 === 0 ? server : elsewhere).connection;
    };

    it('a proxy that leads every connection to the same server is no obstacle', async () => {
      const knex = await through(balance(() => server.connection));
      await test.migrate(ADD_COLUMN, { knex });
      expect(await test.definition()).to.contain('`extra`');
      await expectNoLeaks(test);
    });

    it('a balancer that spreads connections over two servers is refused', () =>
      refused(/session 'observer' met the server/, balance(alternate(0))));

    it('a balancer that lets the second session meet another server than the first is refused', () =>
      refused(
        /session 'work' met the server/,
        balance((number) => (number === WORK ? elsewhere : server).connection),
        'clone',
      ));

    itOnce('a splitter that sends reads to another server than writes is refused', () =>
      refused(
        /session 'probe' met the server/,
        splitStatements(
          [server.connection, elsewhere.connection],
          (sql) => /SELECT/.test(sql) && !/FOR UPDATE/.test(sql),
        ),
      ),
    );

    itOnce('a pooler that shares connections among statements is refused', () =>
      refused(
        /was greeted as number \d+ is number \d+/,
        splitStatements([server.connection, server.connection], (_sql, number) => number % 2 === 0),
      ),
    );

    itOnce('a pooler that loses what a session has set is refused', () =>
      refused(
        /had set, the next one did not find/,
        splitStatements([server.connection, server.connection], (sql) => /lhm_session =/.test(sql)),
      ),
    );

    itOnce('a pooler with connection ids of its own, which would KILL somebody else, is refused', () =>
      refused(/greeted as number 77 is number \d+/, renumber(server.connection, 77)),
    );

    itOnce('the plan and the clean-up are refused as well', async () => {
      const knex = await through(balance(alternate(0)));
      for (const work of [
        () => planLargeHadronMigration('emails', { knex }, ADD_COLUMN),
        () => largeHadronCleanUp('emails', { knex }),
      ]) {
        const error = await failureOf(work());
        expect(error).to.include({ code: 'LHM_NOT_ONE_SERVER', outcome: 'untouched' });
      }
    });

    describe('when connections made later meet another server', () => {
      /** Everything meets the one server until `move` is called. */
      async function movable(): Promise<{ knex: Knex; move: (cut: 'all' | number) => void }> {
        let target = server;
        const knex = await through(balance(() => target.connection));
        return {
          knex,
          move: (cut) => {
            target = elsewhere;
            proxy?.cut(cut === 'all' ? undefined : cut);
          },
        };
      }

      const fails = (options: Options): Promise<LargeHadronError> =>
        test.failure(ADD_COLUMN, { chunk: { rows: 7 }, ...options });

      for (const hook of ['beforeRowCopy', 'beforeCutOver'] as const) {
        it(`all cut off in ${hook}: nothing is removed anywhere, and everything that is left is named`, async () => {
          const { knex, move } = await movable();
          const error = await fails({ knex, hooks: { [hook]: () => move('all') } });
          expect(error.code).to.match(LOST_OR_ELSEWHERE);
          expect(error.outcome).to.equal('unknown');
          expect(error.hint)
            .to.match(/Nothing could be taken back/)
            .and.match(/primary itself/);
          await expectWritable(test);
          const before = [...(await test.tables()), ...(await test.triggers())];
          const named = error.leftovers.map(({ name }) => name.slice(test.database.length + 1));
          expect(named).to.include.members(before.filter((name) => name !== 'emails'));
          await largeHadronCleanUp('emails', { knex: test.knex });
          expect(await test.rows()).to.deep.equal(was.rows);
          await expectNoLeaks(test);
        });
      }

      it('the work session is cut off: the session that is left takes everything back', async () => {
        const { knex, move } = await movable();
        const error = await fails({ knex, hooks: { beforeCutOver: () => move(WORK) } });
        await expectTakenBack(test, error, was, { code: LOST_OR_ELSEWHERE });
      });

      it('the observer is cut off after the swap: said to be swapped, and nothing is removed anywhere', async () => {
        const { knex, move } = await movable();
        const error = await fails({ knex, hooks: { afterCutOver: () => move(OBSERVER) } });
        expect(error.outcome).to.equal('swapped');
        expect(error.hint).to.match(/Nothing could be taken back/);
        expect(await test.definition()).to.contain('`extra`');
        await expectWritable(test);
        await largeHadronCleanUp('emails', { knex: test.knex });
        await expectNoLeaks(test);
      });

      it('the session that is to rename is opened elsewhere: refused, and taken back', async () => {
        let target = server;
        const knex = await through(balance(() => target.connection));
        const options: Options = { cutOver: { strategy: 'sentry' } };
        const error = await fails({
          ...options,
          knex,
          hooks: { beforeCutOver: () => void (target = elsewhere) },
        });
        await expectTakenBack(test, error, was, { code: 'LHM_NOT_ONE_SERVER', phase: 'cut-over' });
      });
    });
  });
}
