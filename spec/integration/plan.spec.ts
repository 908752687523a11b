import { expect } from 'chai';

import {
  largeHadronMigrate,
  planLargeHadronMigration,
  type LargeHadronOptions,
  type MigrationPlan,
} from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';

const CHANGE = [
  'DROP COLUMN size',
  'CHANGE note remark VARCHAR(20) NOT NULL',
  'ADD COLUMN extra INT NULL',
  'ADD COLUMN twice INT AS (LENGTH(address) * 2) VIRTUAL',
  'ADD UNIQUE KEY address_unique (address)',
].join(', ');

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`the plan on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => (test = await TestTable.create(server)));
    afterEach(() => test.drop());

    /** Plans, and sees to it that nothing on the server is another than before. */
    async function plan(
      alter: Parameters<typeof largeHadronMigrate>[2],
      options: Partial<LargeHadronOptions> = {},
    ): Promise<MigrationPlan> {
      const before = await test.snapshot();
      const made = await planLargeHadronMigration('emails', { knex: test.knex, ...options }, alter);
      expect(await test.snapshot()).to.deep.equal(before);
      return made;
    }

    itOnce('says what becomes of each column', async () => {
      const { columns, chunkKey, problems, alter } = await plan(CHANGE, {
        columns: { values: { extra: 'LENGTH(address)' } },
      });
      expect(problems).to.deep.equal([]);
      expect(columns).to.have.deep.members([
        { from: 'id', to: 'id', how: 'same' },
        { from: 'address', to: 'address', how: 'same' },
        { from: 'note', to: 'remark', how: 'converted' },
        { from: null, to: 'extra', how: 'value' },
        { from: null, to: 'twice', how: 'generated' },
        { from: 'size', to: null, how: 'dropped' },
      ]);
      expect(chunkKey).to.deep.equal({ index: 'PRIMARY', columns: ['id'] });
      expect(alter.join()).to.contain('`emails`').and.not.contain('lhmn');
    });

    itOnce('says what could be lost, and by which key', async () => {
      const { dataRisks } = await plan(CHANGE);
      expect(dataRisks.map(({ name, effect }) => `${name} ${effect}`)).to.have.members([
        'size loses',
        'note stops',
        'note stops',
        'address_unique stops',
      ]);
      expect((await plan('ADD COLUMN extra INT')).dataRisks).to.deep.equal([]);
    });

    itOnce('lists what would be run, under the names that would be used', async () => {
      const { statements, names, cutOver } = await plan('ADD COLUMN extra INT');
      expect(statements.filter((sql) => sql.startsWith('CREATE TRIGGER'))).to.have.length(3);
      expect(statements.at(-1)).to.contain('RENAME TABLE').and.contain(names.old);
      expect(cutOver).to.deep.equal(
        flavor === 'mysql'
          ? { strategy: 'rename-under-lock', oldReadViews: 'error' }
          : { strategy: 'sentry', oldReadViews: 'wait' },
      );
    });

    itOnce('is what dryRun resolves with', async () => {
      const before = await test.snapshot();
      const made = await largeHadronMigrate('emails', { knex: test.knex, dryRun: true }, (t) => {
        t.renameColumn('note', 'remark');
        t.integer('extra');
        t.index(['extra']);
      });
      expect(await test.snapshot()).to.deep.equal(before);
      expect(made.oldTable).to.equal(null);
      expect(made.alter.join()).to.contain('emails_extra_index');
      expect(made.columns).to.deep.include({ from: 'note', to: 'remark', how: 'same' });
      expect(made.text).to.contain('nothing was changed');
    });

    itOnce('estimates rows, chunks and room', async () => {
      await test.fill(31, 4000);
      await test.query('ANALYZE TABLE emails');
      const { estimate } = await plan('ADD COLUMN extra INT', { chunk: { rows: 100 } });
      expect(estimate.rows).to.be.within(2000, 8000);
      expect(estimate.chunks).to.equal(Math.ceil(estimate.rows / 100));
      expect(estimate.tableBytes).to.be.above(100_000);
      expect(estimate.binlogBytes).to.be.within(1, estimate.tableBytes);
      expect(estimate.journalEntryBytes).to.be.within(40, 100);
      if (flavor === 'mysql') expect(estimate.writesPerSecond).to.be.above(0);
      else expect(estimate.writesPerSecond).to.equal(null);
    });

    itOnce('names what is in the way now', async () => {
      const other = await test.connect();
      await other.query('START TRANSACTION');
      await other.query('SELECT * FROM emails FOR UPDATE');
      const [rows] = await other.query('SELECT CONNECTION_ID() AS id');
      const { id } = (rows as { id: number }[])[0]!;
      // A transaction counts once it is some seconds old. The server renews the list only for those who let it rest.
      const old = `SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX
                    WHERE trx_started < NOW() - INTERVAL 3 SECOND`;
      while (Number((await test.query<{ n: number }>(old))[0]?.n) === 0) await test.query('DO SLEEP(0.2)');
      const { blockers, text } = await plan('ADD COLUMN extra INT');
      expect(blockers.map(({ connection }) => connection)).to.deep.equal([id]);
      expect(text).to.contain(`connection ${id}`);
    });

    itOnce('names the views, routines, events and triggers that name a changed column', async () => {
      await test.query('CREATE TABLE log (n INT)');
      await test.query('CREATE VIEW sizes AS SELECT id, size FROM emails');
      await test.query('CREATE VIEW addresses AS SELECT id, address FROM emails');
      await test.query('CREATE PROCEDURE shrink() UPDATE emails SET size = 0');
      await test.query(
        'CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM emails WHERE size < 0',
      );
      await test.query(
        'CREATE TRIGGER logged AFTER INSERT ON log FOR EACH ROW UPDATE emails SET size = size + 1 WHERE id = NEW.n',
      );
      const { references } = await plan('DROP COLUMN size');
      expect(references).to.have.deep.members(
        (
          [
            ['view', 'sizes'],
            ['routine', 'shrink'],
            ['event', 'nightly'],
            ['trigger', 'logged'],
          ] as const
        ).map(([kind, name]) => ({ kind, name: `${test.database}.${name}`, columns: ['size'] })),
      );
      expect((await plan('ADD COLUMN extra INT')).references).to.deep.equal([]);
    });

    itOnce('lists what would be refused instead of throwing it, with the missing GRANT', async () => {
      await test.query(
        'CREATE DEFINER = root@localhost TRIGGER theirs BEFORE INSERT ON emails FOR EACH ROW SET NEW.size = 1',
      );
      const account = `lhm_plan_${process.pid}`;
      await test.query(`CREATE USER ${account}@'127.0.0.1' IDENTIFIED BY 'secret'`);
      await test.query(
        `GRANT SELECT, TRIGGER, CREATE TEMPORARY TABLES ON \`${test.database}\`.* TO ${account}@'127.0.0.1'`,
      );
      try {
        const knex = test.makeKnex({}, { user: account, password: 'secret', host: '127.0.0.1' });
        const { problems } = await plan('DROP COLUMN size', { knex });
        expect(problems.map(({ code }) => code)).to.include.members([
          'LHM_TRIGGER_COLUMN',
          'LHM_MISSING_PRIVILEGE',
        ]);
        expect(problems.map(({ hint }) => hint).join()).to.match(/GRANT SET[_ ]/);
        expect(problems.map(({ hint }) => hint).join()).to.match(/GRANT [A-Z, ]*INSERT/);
      } finally {
        await test.closeClients();
        await test.query(`DROP USER ${account}@'127.0.0.1'`);
      }
    });

    itOnce('says by which mode the changes are better captured, and what is run by the other', async () => {
      const usual = await plan(ADD_COLUMN);
      expect(usual).to.deep.include({ mode: 'triggers' });
      expect(usual.suggestedMode.mode).to.equal('triggers');
      const read = await plan(ADD_COLUMN, { mode: 'binlog' });
      expect(read.problems).to.deep.equal([]);
      expect(read.statements.join()).not.to.contain('CREATE TRIGGER');
      expect(read.text).to.contain('reading the binary log').and.contain("Better by mode: 'triggers'");
      const account = `lhm_mode_${process.pid}`;
      const user = `${account}@'127.0.0.1'`;
      const client = flavor === 'mysql' ? 'REPLICATION CLIENT' : 'BINLOG MONITOR';
      await test.query(`CREATE USER ${user} IDENTIFIED BY 'secret'`);
      await test.query(
        `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, LOCK TABLES, CREATE TEMPORARY TABLES ON \`${test.database}\`.* TO ${user}`,
      );
      await test.query(`GRANT PROCESS, REPLICATION SLAVE, ${client} ON *.* TO ${user}`);
      try {
        const knex = test.makeKnex({}, { user: account, password: 'secret', host: '127.0.0.1' });
        const { suggestedMode, text } = await plan(ADD_COLUMN, { knex });
        expect(suggestedMode.mode, suggestedMode.why).to.equal('binlog');
        expect(suggestedMode.why).to.match(/TRIGGER/);
        expect(text).to.contain("Better by mode: 'binlog'");
      } finally {
        await test.closeClients();
        await test.query(`DROP USER ${user}`);
      }
    });

    itOnce('names the triggers that go with the table', async () => {
      await test.query('CREATE TRIGGER theirs BEFORE INSERT ON emails FOR EACH ROW SET NEW.size = 1');
      const { triggers, problems, text } = await plan('ADD COLUMN extra INT');
      expect(problems).to.deep.equal([]);
      expect(triggers).to.have.length(1);
      expect(triggers[0]).to.include({ name: 'theirs', when: 'BEFORE INSERT' });
      expect(text).to.match(/theirs, BEFORE INSERT, as root@/);
    });

    itOnce('says so where the change cannot be tried', async () => {
      await test.query('ALTER TABLE emails ADD FULLTEXT KEY words (address)');
      const { warnings, columns, problems, text } = await plan('ADD COLUMN extra INT');
      expect(warnings.join()).to.contain('could not be tried');
      expect(columns).to.deep.equal([]);
      expect(problems).to.deep.equal([]);
      expect(text).to.contain('ADD COLUMN extra INT');
    });

    itOnce('warns of an account that looks temporary', async () => {
      const { warnings } = await plan('ADD COLUMN extra INT', { triggers: { definer: 'v-token-abc@%' } });
      expect(warnings.join()).to.contain('v-token-abc@%');
      expect((await plan('ADD COLUMN extra INT')).warnings).to.deep.equal([]);
    });

    itOnce('rejects what cannot be planned, and leaves everything as it is', async () => {
      const before = await test.snapshot();
      const cases: readonly (readonly [string, string, string])[] = [
        ['emails', 'DROP COLUMN nope', 'LHM_ALTER_FAILED'],
        ['nothing', 'ADD COLUMN extra INT', 'LHM_NO_SUCH_TABLE'],
        ['emails', 'RENAME TO letters', 'LHM_ALTER_RENAMES_TABLE'],
      ];
      for (const [table, alter, code] of cases) {
        const error = await failureOf(planLargeHadronMigration(table, { knex: test.knex }, alter));
        expect(error).to.include({ code, phase: 'plan', outcome: 'untouched' });
      }
      expect(await test.snapshot()).to.deep.equal(before);
      await test.query('CREATE TABLE keyless (a INT NULL, UNIQUE KEY a_unique (a))');
      const error = await failureOf(
        planLargeHadronMigration('keyless', { knex: test.knex }, 'ADD COLUMN b INT'),
      );
      expect(error).to.include({ code: 'LHM_NO_USABLE_KEY', outcome: 'untouched' });
      expect(error.message).to.contain(
        "no PRIMARY KEY or UNIQUE key over NOT NULL columns ('a_unique' cannot",
      );
      expect(error.hint).to.contain('Add a primary key');
    });
  });
}
