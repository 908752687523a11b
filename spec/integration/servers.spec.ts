import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'chai';
import { createConnection, type RowDataPacket } from 'mysql2/promise';

import {
  availableFlavors,
  startPrimaryWithReplica,
  startServer,
  type Connection,
  type ReplicatedPair,
  type RunningServer,
} from '../support/servers';
import { parseDeb822, parseOneLine } from '../support/servers/debian/parse-sources';
import { withLock } from '../support/servers/lock';

for (const flavor of availableFlavors()) {
  describe(`throw-away ${flavor} servers`, function () {
    // The first run on a machine downloads and unpacks.
    this.timeout(300_000);

    before(async function () {
      const server = await startServer(flavor);
      await server.stop();
      if (!server.owned) {
        // One that is given by URL is not ours to kill, and there is only one of it.
        this.skip();
      }
    });

    describe('one server', () => {
      let server: RunningServer;

      before(async () => {
        server = await startServer(flavor, { args: ['--wait-timeout=1234'] });
      });

      after(() => server.stop());

      it('answers with its version', async () => {
        const [row] = await query(server.connection, 'SELECT VERSION() AS version');
        expect(row?.['version']).to.equal(server.version);
        expect(/mariadb/i.test(server.version)).to.equal(flavor === 'mariadb');
      });

      it('logs rows, takes options and lets the account grant', async () => {
        const [row] = await query(
          server.connection,
          'SELECT @@log_bin AS log_bin, @@binlog_format AS format, @@global.wait_timeout AS timeout',
        );
        expect(row).to.deep.equal({ log_bin: 1, format: 'ROW', timeout: 1234 });
        await query(server.connection, "CREATE USER 'somebody'@'%'");
        await query(server.connection, "GRANT ALL PRIVILEGES ON *.* TO 'somebody'@'%'");
      });

      it('keeps its data and its port over SIGKILL and a restart', async () => {
        const { port } = server.connection;
        await query(server.connection, 'CREATE DATABASE kept');
        await query(server.connection, 'CREATE TABLE kept.t (id INT PRIMARY KEY)');
        await query(server.connection, 'INSERT INTO kept.t VALUES (1)');
        const first = server.pid;

        await server.kill();
        expect(server.pid).to.equal(undefined);
        expect(isRunning(first)).to.equal(false);
        await server.start();
        expect(server.pid).to.not.equal(first);
        await query(server.connection, 'INSERT INTO kept.t VALUES (2)');
        await server.restart();

        expect(server.connection.port).to.equal(port);
        expect(await query(server.connection, 'SELECT id FROM kept.t ORDER BY id')).to.deep.equal([
          { id: 1 },
          { id: 2 },
        ]);
      });
    });

    it('runs two at once, and leaves nothing behind', async () => {
      const servers = await Promise.all([startServer(flavor), startServer(flavor)]);
      const [one, other] = servers;
      const pids = servers.map(({ pid }) => pid);
      try {
        expect(one.connection.port).to.not.equal(other.connection.port);
        await query(one.connection, 'CREATE DATABASE only_here');
        expect(await query(other.connection, "SHOW DATABASES LIKE 'only_here'")).to.deep.equal([]);
        const ids = await Promise.all(
          servers.map(({ connection }) => query(connection, 'SELECT @@server_id AS id')),
        );
        expect(ids[0]).to.not.deep.equal(ids[1]);
      } finally {
        await Promise.all(servers.map((server) => server.stop()));
      }
      expect(servers.map(({ folder = '' }) => existsSync(folder))).to.deep.equal([false, false]);
      expect(pids.map(isRunning)).to.deep.equal([false, false]);
      await one.stop();
      expect(await rejection(one.start())).to.match(/stopped for good/);
    });

    it('says what the server said if it does not start', async () => {
      const message = await rejection(startServer(flavor, { args: ['--no-such-option'] }));
      expect(message)
        .to.match(/ended while starting/)
        .and.to.match(/no-such-option/);
    });

    for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
      it(`ends the server when whoever started it is ended by ${signal}`, async () => {
        const script = join(__dirname, '..', 'support', 'servers', 'by-hand.ts');
        const caller = spawn(process.execPath, ['--import', 'tsx', script, flavor], {
          stdio: ['ignore', 'pipe', 'ignore'],
        });
        const lines = createInterface({ input: caller.stdout });
        const [line] = (await once(lines, 'line')) as [string];
        const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
        expect(isRunning(pid)).to.equal(true);

        caller.kill(signal);
        await eventually(() => !isRunning(pid) && !existsSync(folder));
      });
    }

    describe('a pair', () => {
      let pair: ReplicatedPair;

      before(async () => {
        pair = await startPrimaryWithReplica(flavor, { replicaArgs: ['--max-connections=77'] });
        await query(pair.primary.connection, 'CREATE DATABASE shared');
        await query(pair.primary.connection, 'CREATE TABLE shared.t (id INT PRIMARY KEY)');
      });

      after(() => pair.stop());

      it('has on the replica what was written on the primary', async () => {
        await query(pair.primary.connection, 'INSERT INTO shared.t VALUES (1)');
        await pair.caughtUp();
        expect(await query(pair.replica.connection, 'SELECT id FROM shared.t')).to.deep.equal([{ id: 1 }]);
        const [row] = await query(
          pair.replica.connection,
          'SELECT @@log_bin AS log_bin, @@log_slave_updates AS log_updates, @@max_connections AS connections',
        );
        expect(row).to.deep.equal({ log_bin: 1, log_updates: 1, connections: 77 });
      });

      it('goes on after either server was killed', async () => {
        for (const [id, server] of [pair.primary, pair.replica].entries()) {
          await server.kill();
          await server.start();
          await query(pair.primary.connection, `INSERT INTO shared.t VALUES (${10 + id})`);
          await pair.caughtUp(60_000);
        }
        expect(await query(pair.replica.connection, 'SELECT id FROM shared.t')).to.have.length(3);
      });

      it('tells when the replica is too slow', async () => {
        await query(pair.replica.connection, 'FLUSH TABLES WITH READ LOCK', async () => {
          await query(pair.primary.connection, 'INSERT INTO shared.t VALUES (20)');
          expect(await rejection(pair.caughtUp(300))).to.match(/has not reached binlog\.\d+:\d+ in 300 ms/);
        });
        await pair.caughtUp();
      });

      it('rejects with the error that stopped the replica', async () => {
        await query(pair.replica.connection, 'INSERT INTO shared.t VALUES (99)');
        await query(pair.primary.connection, 'INSERT INTO shared.t VALUES (99)');
        expect(await rejection(pair.caughtUp())).to.match(/error 1062.*Duplicate entry '99'/s);
      });
    });
  });
}

describe('Debian packages without root', () => {
  it("read the machine's mirrors from both kinds of apt's files", () => {
    const oneLine = `
      # deb http://commented.example/debian bookworm main
      deb-src http://source.example/debian bookworm main
      deb [arch=amd64 signed-by=/a/debian-archive-keyring.gpg] http://mirror.example/debian/ bookworm main contrib # why`;
    const deb822 = `# a comment
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm
Components: main
 contrib
Signed-By: /a/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: bookworm
Components: main`;
    const entry = {
      uris: ['http://mirror.example/debian/'],
      suites: ['bookworm'],
      components: ['main', 'contrib'],
      signedBy: '/a/debian-archive-keyring.gpg',
    };
    expect(parseOneLine(oneLine)).to.deep.equal([entry]);
    expect(parseDeb822(deb822)).to.deep.equal([entry]);
  });

  it('takes over a lock that was left behind, and no other', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'lhm-spec-')), 'lock');
    try {
      await writeFile(path, 'left');
      await utimes(path, new Date(0), new Date(0));
      const order: string[] = [];
      const hold = (name: string): Promise<void> =>
        withLock(
          path,
          () => undefined,
          async () => {
            order.push(`${name} in`);
            await sleep(50);
            order.push(`${name} out`);
          },
        );
      await Promise.all([hold('a'), hold('b')]);
      expect(order.map((step) => step.slice(2))).to.deep.equal(['in', 'out', 'in', 'out']);
      expect(existsSync(path)).to.equal(false);
    } finally {
      await rm(dirname(path), { recursive: true });
    }
  });
});

/** One statement on a connection of its own, which is kept open during `meanwhile`. */
async function query(
  connection: Connection,
  sql: string,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<RowDataPacket[]> {
  const client = await createConnection({ ...connection });
  try {
    const [rows] = await client.query<RowDataPacket[]>(sql);
    await meanwhile();
    return rows;
  } finally {
    client.destroy();
  }
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => expect.fail('it should have been rejected'),
    (error: unknown) => (error as Error).message,
  );
}

async function eventually(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!isSo()) {
    expect(Date.now(), 'it did not happen in time').to.be.below(deadline);
    await sleep(20);
  }
}

/** Zombies do not count: in a container, the first process may not collect the orphans that it is given. */
function isRunning(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? -1, 0);
    return (
      !existsSync('/proc/self') || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid ?? -1}/status`, 'utf8'))
    );
  } catch {
    return false;
  }
}
