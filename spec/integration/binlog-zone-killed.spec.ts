import { expect } from 'chai';

import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { untilWaiting } from '../support/test-table-process-list';
import { aroundQueries, intercept } from '../support/test-table-statements';

const KILLED = Object.assign(new Error('Query execution was interrupted'), {
  errno: 1317,
  code: 'ER_QUERY_INTERRUPTED',
});

for (const flavor of availableFlavors()) {
  describe(`keys that are written under the lock, on ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { args: ['--default-time-zone=+05:00'] })));
    after(() => server.stop());
    beforeEach(async () => {
      const columns = 'id INT NOT NULL PRIMARY KEY, at TIMESTAMP NOT NULL, v INT NOT NULL DEFAULT 0';
      test = await TestTable.create(server, { columns });
      const rows = Array.from({ length: 30 }, (_, i) => [i + 1, `2024-01-01 12:00:${10 + i}`]);
      await test.query('INSERT INTO emails (id, at) VALUES ?', [rows]);
    });
    afterEach(() => test.drop());

    it('leave the session in its time zone, though the statement that puts it back is killed', async () => {
      const application = await test.connect();
      let zone = '';
      let killed = false;
      let committing = false;
      let granted: () => void = () => undefined;
      const lock = new Promise<void>((resolve) => (granted = resolve));
      aroundQueries(test.knex, (query) => (sql, values, callback) => {
        if (/^LOCK TABLES .*_lhmn/.test(sql)) {
          return query(sql, values, (...answer) => {
            granted();
            callback(...answer);
          });
        }
        // Or a fast stream would have its keys written before the lock, on a session that stays in UTC.
        if (committing && /^INSERT INTO .*_lhmj_/.test(sql))
          return lock.then(() => query(sql, values, callback));
        // Of one and the same session: into UTC, and the next that leads back.
        if (/SESSION time_zone = '\+00:00'$/.test(sql) && !/lock_wait_timeout/.test(sql)) zone = 'utc';
        else if (zone === 'utc' && !killed && /^SET SESSION time_zone = /.test(sql)) {
          killed = true;
          callback(KILLED as never);
          return undefined;
        }
        return query(sql, values, callback);
      });
      // Its COMMIT, which the lock waits for, is read once the lock is held.
      let committed: Promise<unknown> = Promise.resolve();
      intercept(test.knex, {
        match: /^LOCK TABLES .*_lhmn/,
        when: 'before',
        run: async () => {
          committing = true;
          await application.query('BEGIN');
          await application.query('UPDATE emails SET v = 1 WHERE id = 5');
          committed = untilWaiting(test, /^LOCK TABLES/).then(() => application.query('COMMIT'));
        },
      });
      const result = await test.migrate('MODIFY at DATETIME NOT NULL', {
        mode: 'binlog',
        cutOver: { oldReadViews: 'ignore', lockTimeoutMs: 10_000, drainBudgetMs: 10_000 },
      });
      await committed;
      expect(killed).to.equal(true);
      expect(await test.rows()).to.deep.equal(await test.rows(result.oldTable!));
    });
  });
}
