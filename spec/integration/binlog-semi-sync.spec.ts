import { expect } from 'chai';
import { createConnection, type RowDataPacket } from 'mysql2/promise';

import { expectNoLeaks } from '../support/leak-guard';
import {
  availableFlavors,
  startPrimaryWithReplica,
  startServer,
  type Flavor,
  type RunningServer,
} from '../support/servers';
import { TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** How long a commit waits for a replica that there is not, in ms: in the log, and not to be seen yet. */
const STALL_MS = 2000;

const SETTINGS: Readonly<
  Record<Flavor, { install: readonly string[]; on: string; off: string; log: string }>
> = {
  mysql: {
    install: [
      "INSTALL PLUGIN rpl_semi_sync_source SONAME 'semisync_source.so'",
      `SET GLOBAL rpl_semi_sync_source_timeout = ${STALL_MS}, GLOBAL rpl_semi_sync_source_wait_no_replica = ON, GLOBAL rpl_semi_sync_source_wait_point = AFTER_SYNC`,
    ],
    on: 'SET GLOBAL rpl_semi_sync_source_enabled = ON',
    off: 'SET GLOBAL rpl_semi_sync_source_enabled = OFF',
    log: 'SHOW BINARY LOG STATUS',
  },
  mariadb: {
    install: [
      `SET GLOBAL rpl_semi_sync_master_timeout = ${STALL_MS}, GLOBAL rpl_semi_sync_master_wait_no_slave = ON, GLOBAL rpl_semi_sync_master_wait_point = AFTER_SYNC`,
    ],
    on: 'SET GLOBAL rpl_semi_sync_master_enabled = ON',
    off: 'SET GLOBAL rpl_semi_sync_master_enabled = OFF',
    log: 'SHOW MASTER STATUS',
  },
};

/** Before which statement of the migration the application's commit stalls. */
const PLACES = [
  ['the first chunk', /^INSERT .*_lhmn/, 0],
  ['a later chunk', /^INSERT .*_lhmn/, 2],
  ['the journal is read', /^SELECT .*_lhmj_/, 1],
  ['the lock', /^LOCK TABLES/, 0],
] as const;

/** The server's own log, or that of a replica, which has a change before the server itself shows it. */
const LOGS = [
  ['its own log', PLACES],
  ["a replica's log", PLACES.filter(([what]) => /first|lock/.test(what))],
] as const;

for (const [flavor, [whose, places]] of availableFlavors().flatMap((flavor) =>
  LOGS.map((log) => [flavor, log] as const),
)) {
  describe(`changes that ${whose} tells of before they can be seen, on ${flavor}`, function () {
    this.timeout(120_000);
    const { install, on, off, log } = SETTINGS[flavor];
    let server: RunningServer;
    let replica: RunningServer | null = null;
    let stop: () => Promise<void>;
    let test: TestTable;

    before(async () => {
      if (places === PLACES) {
        server = await startServer(flavor);
        stop = () => server.stop();
        return;
      }
      const pair = await startPrimaryWithReplica(flavor);
      ({ primary: server, replica } = pair);
      stop = () => pair.stop();
    });
    after(() => stop());
    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(() => test.drop());

    const logEnd = async (): Promise<number> => (await test.query<{ Position: number }>(log))[0]!.Position;

    /** The replica has it. */
    async function arrived(note: string): Promise<void> {
      if (replica === null) return;
      const client = await createConnection(replica.connection);
      await until('the change on the replica', async () => {
        const sql = `SELECT id FROM ${test.database}.emails WHERE note = '${note}'`;
        const [rows] = await client.query<RowDataPacket[]>(sql);
        return rows.length === 3 ? true : undefined;
      });
      await client.end();
    }

    const options = (): Options => {
      if (replica === null) return {};
      const { host, port, user, password } = replica.connection;
      return { binlog: { source: { host, port, user, password } } };
    };

    for (const [what, match, skip] of places) {
      it(`none is lost: stalled when ${what} comes`, async () => {
        const [{ ready } = { ready: 0 }] = await test.query<{ ready: number }>(
          "SELECT COUNT(*) AS ready FROM information_schema.PLUGINS WHERE PLUGIN_NAME LIKE 'rpl_semi_sync%'",
        );
        if (flavor === 'mariadb' || ready === 0) for (const sql of install) await test.query(sql);
        const application = await test.connect();
        const writes: Promise<unknown>[] = [];
        let early = false;
        let last = '';
        const stall = async (round: number): Promise<boolean> => {
          await test.query(off);
          await test.query(on);
          const before = await logEnd();
          const note = `stalled ${round}`;
          writes.push(application.query(`UPDATE emails SET note = '${note}' WHERE id IN (2, 15, 29)`));
          await until('the change in the log', async () => ((await logEnd()) > before ? true : undefined));
          await arrived(note);
          const [row] = await test.query<{ seen: number }>(
            `SELECT COUNT(*) AS seen FROM emails WHERE note = '${note}'`,
          );
          last = note;
          return Number(row?.seen) === 0;
        };
        // A commit of the migration's own that is under way when it is switched on may keep it from being so.
        const run = async (): Promise<void> => {
          for (let round = 1; round <= 10 && !early; round++) {
            await Promise.all(writes);
            early = await stall(round);
          }
          writes.push(application.query('DELETE FROM emails WHERE id = 7'));
        };
        const stalled = intercept(test.knex, { match, when: 'before', skip, run });
        await test.migrate(ADD_COLUMN, {
          ...{ mode: 'binlog', verify: false, chunk: { rows: 5 }, cutOver: { lockTimeoutMs: 10_000 } },
          ...options(),
        });
        await Promise.all(writes);
        await test.query(off);
        expect(stalled.happened).to.equal(true);
        expect(early, 'in the log, and not to be seen').to.equal(true);
        const rows = without(await test.rows(), 'extra');
        expect(rows).to.have.length(29);
        expect(rows.filter(({ note }) => note === last).map(({ id }) => id)).to.deep.equal([2, 15, 29]);
        await expectNoLeaks(test);
      });
    }
  });
}
