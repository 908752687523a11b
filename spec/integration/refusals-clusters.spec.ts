import { createServer } from 'node:net';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { ADD_COLUMN, expectRefused } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';
import { expectNoLeaks } from '../support/leak-guard';

const GROUP = '5f1d2a6e-0c1b-4f3e-9a55-3d6a0d2f7c11';

const TOO_OLD = { mysql: '8.0.12', mariadb: '10.4.34-MariaDB' } as const;

for (const flavor of availableFlavors()) {
  describe(`refusals of servers that are too old or share their writes, on ${flavor}`, function () {
    this.timeout(180_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(() => test.drop());

    it('a version that is too old', async () => {
      intercept(test.knex, {
        ...{ match: /VERSION\(\) AS version/, when: 'before', run: () => undefined },
        rewrite: (sql) => sql.replace('VERSION()', `'${TOO_OLD[flavor]}'`),
      });
      await expectRefused(
        test,
        {
          code: 'LHM_UNSUPPORTED_SERVER',
          says: new RegExp(TOO_OLD[flavor]),
          hints: /MySQL 8\.0\.13 or newer/,
        },
        () => test.failure(ADD_COLUMN),
      );
    });

    // A node of Galera is not among the servers that the specs can start, so this one only says that it is.
    it('a node of Galera', async () => {
      intercept(test.knex, {
        ...{
          match: /^SHOW GLOBAL VARIABLES WHERE Variable_name IN \(\?\)/,
          when: 'before',
          run: () => undefined,
        },
        rewrite: () => "SELECT 'wsrep_on' AS Variable_name, 'ON' AS Value",
      });
      await expectRefused(test, { code: 'LHM_CLUSTER', says: /Galera/, hints: /native ALTER TABLE/ }, () =>
        test.failure(ADD_COLUMN),
      );
    });
  });

  if (flavor !== 'mysql') continue;
  describe('a group of servers on mysql', function () {
    this.timeout(180_000);
    let server: RunningServer;
    let test: TestTable;

    before(async function () {
      const port = await freePort();
      const args = [
        ...['--gtid-mode=ON', '--enforce-gtid-consistency=ON', '--plugin-load-add=group_replication.so'],
        ...[`--loose-group-replication-group-name=${GROUP}`, '--log-bin-trust-function-creators=1'],
        ...[`--loose-group-replication-local-address=127.0.0.1:${port}`, '--report-host=127.0.0.1'],
        ...['--loose-group-replication-start-on-boot=OFF', '--loose-group-replication-bootstrap-group=ON'],
      ];
      server = await startServer(flavor, { args });
      test = await TestTable.create(server);
      const [plugin] = await test.query(
        "SELECT 1 FROM information_schema.PLUGINS WHERE PLUGIN_NAME = 'group_replication'",
      );
      if (plugin === undefined) {
        console.log('      skipped: this server has no group replication');
        this.skip();
      }
    });
    afterEach(async () => {
      await test.query('STOP GROUP_REPLICATION');
      await test.query('SET GLOBAL super_read_only = OFF');
      await test.query('SET GLOBAL read_only = OFF');
      await test.drop();
    });
    after(() => server.stop());

    const join = async (singlePrimary: 'ON' | 'OFF'): Promise<void> => {
      await test.query(`SET GLOBAL group_replication_single_primary_mode = ${singlePrimary}`);
      await test.query('START GROUP_REPLICATION');
    };

    it('with several primaries is refused', async () => {
      await join('OFF');
      await expectRefused(
        test,
        { code: 'LHM_CLUSTER', says: /multi-primary group/, hints: /single-primary mode/ },
        () => test.failure(ADD_COLUMN),
      );
    });

    it('with one primary is migrated on that', async () => {
      test = await TestTable.create(server);
      await join('ON');
      const { rowsCopied } = await test.migrate(ADD_COLUMN);
      if (rowsCopied !== 30) throw new Error(`${rowsCopied} rows were copied`);
      await expectNoLeaks(test);
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
