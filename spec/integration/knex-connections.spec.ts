import { expect } from 'chai';
import createKnex, { type Knex } from 'knex';
import { createPool, type Pool } from 'mysql2';
import { createPool as createPromisePool } from 'mysql2/promise';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';

import { createExactTable, expectExact, ROWS } from '../support/exact-table';
import { serversAndModes } from '../support/available-modes';
import type { RunningServer } from '../support/servers';
import { OWN_SOURCES, startFrom } from '../support/servers/start-server';
import type { TestTable } from '../support/test-table';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';
import { expectNoLeaks } from '../support/leak-guard';

/** Everything that means something in a URL, in SQL or to a shell. */
const PASSWORD = `p@:/?#[]% &+=;'"\\ž$\``;

/** Made for these specs: an authority whose key nobody has, and a certificate for this machine. */
const TLS = join(__dirname, '../support/tls');
const CA = readFileSync(join(TLS, 'ca.pem'));

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === '::1');

type Config = Knex.Config | string;
interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The forms in which Knex takes a connection, made of an address. */
const FORMS: readonly (readonly [what: string, config: (address: Address) => Config])[] = [
  ['an object', (address) => ({ connection: { ...address } })],
  [
    'an object with the port as text',
    (address) => ({ connection: { ...address, port: `${address.port}` as never } }),
  ],
  ['a URL', (address) => ({ connection: url(address, 'mysql') })],
  ['a URL of the client itself', (address) => ({ connection: url(address, 'mysql2') })],
  [
    'a URL with settings',
    (address) => ({ connection: `${url(address, 'mysql')}?charset=utf8mb4&dateStrings=true&timezone=Z` }),
  ],
  ['a URL instead of the whole configuration', (address) => url(address, 'mysql2')],
  ['a function', (address) => ({ connection: () => ({ ...address }) })],
  ['a function that gives a URL', (address) => ({ connection: () => url(address, 'mysql') as never })],
  ['an async function', (address) => ({ connection: () => Promise.resolve({ ...address }) })],
  ['an object with a URL inside', (address) => ({ connection: { uri: url(address, 'mysql') } as never })],
  [
    'an object with a URL inside, with settings that would change answers',
    (address) => ({
      connection: {
        uri: `${url(address, 'mysql')}?rowsAsArray=true&nestTables=true&decimalNumbers=true&namedPlaceholders=true&multipleStatements=true&typeCast=false&flags=FOUND_ROWS`,
      } as never,
    }),
  ],
  [
    'a URL with settings that would change answers',
    (address) => ({
      connection: `${url(address, 'mysql')}?rowsAsArray=true&nestTables=true&decimalNumbers=true&namedPlaceholders=true&multipleStatements=true&typeCast=false`,
    }),
  ],
  [
    'an object with a URL inside and the rest beside it',
    ({ database, ...address }) => ({
      connection: { uri: url({ ...address, database: '' }, 'mysql'), database, ssl: undefined } as never,
    }),
  ],
  [
    'a dialect instead of a client',
    (address) => ({
      client: undefined as never,
      dialect: 'mysql2',
      connection: { ...address },
      log: { warn: () => undefined },
    }),
  ],
];

function url({ host, port, user, password, database }: Address, protocol: string): string {
  return `${protocol}://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/${database}`;
}

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`connections of Knex on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;
    let tlsFolder: string;
    let test: TestTable;
    const knexes: Knex[] = [];
    const pools: Pool[] = [];

    before(async () => {
      // Where a server may read that the system confines to its own folders and the temporary one.
      tlsFolder = mkdtempSync(join(tmpdir(), 'lhm-tls-'));
      cpSync(TLS, tlsFolder, { recursive: true });
      const tls = [
        ['ca', 'ca.pem'],
        ['cert', 'server-cert.pem'],
        ['key', 'server-key.pem'],
      ] as const;
      const started = await startFrom(OWN_SOURCES, flavor, {
        mode,
        args: [
          ...tls.map(([option, file]) => `--ssl-${option}=${join(tlsFolder, file)}`),
          ...(hasIpv6 ? ['--bind-address=127.0.0.1,::1'] : []),
        ],
      });
      server = Object.assign(started, { mode });
    });

    after(async () => {
      await server.stop();
      rmSync(tlsFolder, { recursive: true });
    });

    beforeEach(async () => {
      test = await createExactTable(server);
    });

    afterEach(async () => {
      await test.drop();
    });

    const address = (more: Partial<Address> = {}): Address => ({
      ...server.connection,
      database: test.database,
      ...more,
    });

    /** Destroyed with the test, as those it makes itself. */
    const make = (config: Config): Knex => {
      if (typeof config === 'string') {
        const knex = createKnex(config);
        knexes.push(knex);
        return knex;
      }
      return test.makeKnex({ pool: { min: 0, max: 1 }, ...config });
    };

    async function account(requires = ''): Promise<Pick<Address, 'user' | 'password'>> {
      const user = `us'er@ž ${test.database.slice(-4)}`;
      await test.query(`CREATE USER ?@'%' IDENTIFIED BY ? ${requires}`, [user, PASSWORD]);
      await test.query(`GRANT ALL ON *.* TO ?@'%'`, [user]);
      return { user, password: PASSWORD };
    }

    afterEach(async () => {
      await Promise.all(knexes.splice(0).map((knex) => knex.destroy()));
      for (const pool of pools.splice(0)) pool.end(() => undefined);
    });

    describe('as', () => {
      for (const [what, config] of FORMS) {
        it(what, async () => {
          await expectExact(test, make(config(address(await account()))));
        });
      }

      it('an async function with an expirationChecker, which is asked for every connection', async () => {
        let asked = 0;
        const connection = (): Promise<object> => {
          asked += 1;
          return Promise.resolve({ ...address(), expirationChecker: () => true });
        };
        await expectExact(test, make({ connection: connection as never }));
        // The one that asks who is there, the observer, the one that copies.
        expect(asked).to.be.at.least(3);
      });

      for (const [what, pool] of [
        ['a pool of mysql2', (options: Address) => createPool(options)],
        ['a pool of mysql2/promise', (options: Address) => createPromisePool(options)],
      ] as const) {
        it(`${what}, also when Knex has hidden its password, with what its listeners set`, async () => {
          const made = pool({
            ...address(await account()),
            flags: ['FOUND_ROWS'],
            rowsAsArray: true,
          } as never);
          const core = 'pool' in made ? made.pool : made;
          pools.push(core);
          core.on('connection', (connection) => {
            connection.query("SET SESSION sql_mode = 'PIPES_AS_CONCAT'");
          });
          const knex = make({ connection: undefined as never, connectionPool: made } as Knex.Config);
          await knex.raw('SELECT 1');
          await test.migrate("ADD COLUMN both_names VARCHAR(130) AS (name || '!' || name) STORED", { knex });
          const [row] = await test.query(
            "SELECT COUNT(*) AS n FROM emails WHERE both_names = CONCAT(name, '!', name)",
          );
          expect(row).to.deep.equal({ n: ROWS });
        });
      }

      it('nothing that leads anywhere is refused', async () => {
        const knex = make({ connection: undefined as never });
        await expectRefused(test, { code: 'LHM_UNSUPPORTED_CLIENT', phase: 'plan' }, () =>
          test.failure(ADD_COLUMN, { knex }),
        );
      });

      it('a function that fails is told, with its error', async () => {
        const knex = make({ connection: () => Promise.reject(new Error('no token today')) });
        await expectRefused(test, { code: 'LHM_FAILED', phase: 'plan', says: /no token today/ }, () =>
          test.failure(ADD_COLUMN, { knex }),
        );
      });
    });

    describe('over', () => {
      for (const [what, ssl] of [
        ['TLS whose certificate is not looked at', { rejectUnauthorized: false }],
        ['TLS with the certificate of its authority', { ca: CA }],
      ] as const) {
        it(`${what}, for an account that requires it`, async () => {
          const secret = await account('REQUIRE SSL');
          await expectExact(test, make({ connection: { ...address(secret), ssl } }));
        });
      }

      it('TLS with an authority of which nobody has heard: refused, and said why', async () => {
        const secret = await account('REQUIRE SSL');
        const knex = make({ connection: { ...address(secret), ssl: {} } });
        await expectRefused(test, { code: 'LHM_CONNECTION_LOST', phase: 'plan', says: /certificate/ }, () =>
          test.failure(ADD_COLUMN, { knex }),
        );
      });

      it('no TLS, for an account that requires it: refused, and said why', async () => {
        const knex = make({ connection: address(await account('REQUIRE SSL')) });
        await expectRefused(test, { code: 'LHM_CANNOT_CONNECT', phase: 'plan', says: /denied/ }, () =>
          test.failure(ADD_COLUMN, { knex }),
        );
      });

      it('a Unix socket', async () => {
        const socketPath = join(server.folder ?? '', 'socket');
        const { user, password, database } = address();
        await expectExact(test, make({ connection: { socketPath, user, password, database } }));
      });

      it('an IPv6 address', async function () {
        if (!hasIpv6) {
          console.log('      no IPv6: this machine has no ::1');
          return this.skip();
        }
        await expectExact(test, make({ connection: address({ ...(await account()), host: '::1' }) }));
      });

      it('a compressed connection', () =>
        expectExact(test, make({ connection: { ...address(), compress: true } })));
    });

    describe('to a schema', () => {
      const { user, password } = { user: 'root', password: '' };
      const without = (): Knex =>
        make({ connection: { host: server.connection.host, port: server.connection.port, user, password } });

      it('other than the default one', async () => {
        const knex = make({ connection: address({ database: 'mysql' }) });
        const result = await test.migrate(
          async (t, ctx) => {
            t.integer('extra').index();
            await ctx.raw('ALTER TABLE ??.?? ADD COLUMN ?? INT', [test.database, ctx.ghostTable, 'more']);
          },
          { knex },
          `${test.database}.emails`,
        );
        expect(result.table).to.equal(`${test.database}.emails`);
        expect(await test.definition())
          .to.match(/`extra`.*`more`|`more`.*`extra`/s)
          .and.contain('`emails_extra_index`');
        await expectNoLeaks(test);
      });

      it('named with the table only, on a connection without a database', async () => {
        await test.migrate(ADD_COLUMN, { knex: without() }, `${test.database}.emails`);
        expect(await test.definition()).to.contain('`extra`');
        await expectNoLeaks(test);
      });

      it('that is named nowhere is refused', async () => {
        const error = await test.failure(ADD_COLUMN, { knex: without() });
        expect(error).to.include({ code: 'LHM_BAD_TABLE_NAME', outcome: 'untouched' });
        expect(error.hint).to.match(/schema\.table/);
      });

      it('of a searchPath, which MySQL does not have: Knex passes over it, and so do we', async () => {
        const knex = make({ searchPath: ['mysql', 'nowhere'] });
        await test.migrate(ADD_COLUMN, { knex });
        expect(await test.definition()).to.contain('`extra`');
      });

      it('by withSchema in the alter function: on the new table, whichever of the two names is used', async () => {
        const knex = make({ connection: address({ database: 'mysql' }) });
        const sqlOf = (table: string, column: string): string =>
          knex.schema
            .withSchema(test.database)
            .alterTable(table, (t) => void t.integer(column))
            .toQuery();
        await test.migrate(
          async (_t, ctx) => {
            await ctx.raw(sqlOf('emails', 'by_name'));
            await ctx.raw(sqlOf(ctx.ghostTable, 'by_ghost'));
          },
          { knex },
          `${test.database}.emails`,
        );
        expect(await test.definition())
          .to.contain('`by_name`')
          .and.contain('`by_ghost`');
      });

      it("by the caller's own Knex in the alter function: the table itself was changed, which is noticed", async () => {
        const knex = make({ connection: address() });
        const error = await test.failure(
          async (t) => {
            t.integer('extra');
            await knex.schema
              .withSchema(test.database)
              .alterTable('emails', (own) => void own.integer('own'));
          },
          { knex },
        );
        expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'rolled-back' });
        expect(await test.definition())
          .to.contain('`own`')
          .and.not.contain('`extra`');
        await expectNoLeaks(test);
      });

      it('other than the migrated one in the alter function is refused', async () => {
        const expected = { code: 'LHM_ALTER_OTHER_TABLE', phase: 'clone' } as const;
        await expectRefused(test, expected, () =>
          test.failure(async (_t, ctx) => {
            await ctx.raw('ALTER TABLE elsewhere.emails ADD COLUMN x INT');
          }),
        );
      });
    });
  });
}
