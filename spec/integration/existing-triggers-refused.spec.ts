import { expect } from 'chai';

import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { ADD_COLUMN, itRefuses, type BadInput } from '../support/test-table-refusal';
import { auditTable } from '../support/triggers/audit';
import { triggerFacts } from '../support/triggers/trigger-facts';

const ON = 'ON emails FOR EACH ROW';

/** Triggers that could not do on the new table what they do on the old one. */
const COLUMNS: readonly BadInput[] = [
  ...(
    [
      ['drops', 'DROP COLUMN note', `CREATE TRIGGER uses BEFORE INSERT ${ON} SET NEW.note = 'x'`],
      [
        'renames',
        'RENAME COLUMN note TO remark',
        `CREATE TRIGGER uses AFTER DELETE ${ON} SET @x = OLD.\`Note\``,
      ],
      [
        'gives to another',
        'RENAME COLUMN note TO address, RENAME COLUMN address TO note',
        `CREATE TRIGGER uses BEFORE UPDATE ${ON} BEGIN IF NEW.size > 0 THEN SET NEW.note = 'x'; END IF; END`,
      ],
      [
        'drops, where the trigger reads the table itself',
        'DROP COLUMN note',
        `CREATE TRIGGER uses AFTER INSERT ${ON} SET @x = (SELECT MAX(note) FROM emails)`,
      ],
    ] as const
  ).map(([what, alter, sql]): BadInput => ({
    what: `a trigger that names a column which the change ${what}`,
    code: 'LHM_TRIGGER_COLUMN',
    phase: 'clone',
    before: [sql],
    alter,
    says: /'uses'.*'note'/,
    hints: /Replace the trigger/,
  })),
  {
    what: 'a trigger that sets a column which becomes a generated one',
    code: 'LHM_TRIGGER_COLUMN',
    phase: 'clone',
    before: [`CREATE TRIGGER uses BEFORE INSERT ${ON} SET NEW.extra = 1`],
    table: { columns: 'id INT PRIMARY KEY, size INT, extra INT' },
    alter: 'DROP COLUMN extra, ADD COLUMN extra INT AS (size + 1) STORED',
    says: /'uses'/,
  },
];

const AGAIN: readonly BadInput[] = [
  ...(['dec8', 'hp8'] as const).map((charset): BadInput => ({
    what: `a trigger in the character set ${charset}, in which nothing can be sent`,
    code: 'LHM_TRIGGER_NOT_CARRIED',
    phase: 'clone',
    before: [
      // The driver could not send another statement once the server has told it of the character set.
      "SET SESSION session_track_system_variables = ''",
      `SET SESSION character_set_client = ${charset}`,
      `CREATE TRIGGER odd BEFORE INSERT ${ON} SET NEW.note = 'x'`,
      'SET NAMES utf8mb4',
      'SET SESSION session_track_system_variables = DEFAULT',
    ],
    says: new RegExp(`'odd'.*${charset}`),
    hints: /CREATE TRIGGER/,
  })),
  {
    what: 'a trigger whose text its own character set does not have, because the table was renamed since',
    code: 'LHM_TRIGGER_NOT_CARRIED',
    phase: 'clone',
    table: { table: 'жук' },
    before: [
      'RENAME TABLE `жук` TO emails',
      'SET NAMES latin1',
      `CREATE TRIGGER beetle BEFORE INSERT ${ON} SET NEW.note = 'é'`,
      'SET NAMES utf8mb4',
      'RENAME TABLE emails TO `жук`',
    ],
    says: /'beetle'/,
  },
  {
    what: "a trigger with variables from a time when the database's collation was another",
    code: 'LHM_TRIGGER_NOT_CARRIED',
    phase: 'clone',
    before: [
      `CREATE TRIGGER older BEFORE INSERT ${ON} BEGIN DECLARE v VARCHAR(10); SET v = NEW.note; END`,
      'ALTER DATABASE CHARACTER SET latin1',
    ],
    says: /'older'.*latin1/,
  },
];

for (const { flavor, mode, on, every, once, itOnce } of serversAndModes()) {
  describe(`the table's triggers that are refused on ${on}`, function () {
    this.timeout(300_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    itRefuses(flavor, () => server, once([...COLUMNS, ...AGAIN]));

    itOnce('not where the column is named elsewhere only, or the collation means nothing', async () => {
      const test = await TestTable.create(server);
      await test.query(
        `CREATE TRIGGER other BEFORE INSERT ${ON} SET @note = 'note', NEW.size = (SELECT COUNT(note) FROM (SELECT 1 AS note) AS x)`,
      );
      await test.query('ALTER DATABASE CHARACTER SET latin1');
      await test.migrate('DROP COLUMN note');
      await test.query("INSERT INTO emails (address) VALUES ('new')");
      expect((await test.rows()).at(-1)).to.include({ size: 1 });
      await test.drop();
    });

    itOnce('for want of a privilege, which the hint grants; another account is another account', async () => {
      const test = await TestTable.create(server);
      const account = `lhm_trg_${process.pid}@'127.0.0.1'`;
      await test.query(`CREATE USER ${account} IDENTIFIED BY 'secret'`);
      await test.query(`CREATE USER lhm_owner@localhost`);
      await test.query(`CREATE DEFINER = lhm_owner@localhost TRIGGER theirs BEFORE INSERT ${ON} SET @x = 1`);
      try {
        await test.query(`GRANT ALL ON \`${test.database}\`.* TO ${account}, lhm_owner@localhost`);
        await test.query(`GRANT PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO ${account}`);
        const before = await triggerFacts(test);
        await test.withGlobal('log_bin_trust_function_creators', '1', async () => {
          const make = () =>
            test.makeKnex({}, { user: account.split('@')[0], password: 'secret', host: '127.0.0.1' });
          const error = await test.failure(ADD_COLUMN, { knex: make() });
          expect(error).to.include({ code: 'LHM_MISSING_PRIVILEGE', outcome: 'untouched' });
          expect(error.message).to.contain('theirs runs as lhm_owner@localhost');
          const [grant] = /GRANT SET[^;]*/.exec(error.hint) ?? [];
          await test.query(grant!);
          await test.migrate(ADD_COLUMN, { knex: make() });
          expect(await triggerFacts(test)).to.deep.equal(before);
        });
      } finally {
        await test.closeClients();
        await test.query(`DROP USER ${account}, lhm_owner@localhost`);
        await test.drop();
      }
    });

    itOnce(
      'not for an account that is gone: the trigger goes with the table, and fails as it did',
      async () => {
        const test = await TestTable.create(server);
        await test.query(`CREATE DEFINER = nobody@nowhere TRIGGER orphan BEFORE DELETE ${ON} SET @x = 1`);
        const fails = (): Promise<unknown> =>
          test.query('DELETE FROM emails WHERE id = 1').then(
            () => null,
            (error: unknown) => (error as { errno: number }).errno,
          );
        const [before, failure] = [await triggerFacts(test), await fails()];
        expect(failure).to.equal(1449);
        await test.migrate(ADD_COLUMN);
        expect(await triggerFacts(test)).to.deep.equal(before);
        expect(await fails()).to.equal(1449);
        await test.drop();
      },
    );

    for (const [what, statements] of [
      ['creates', [`CREATE TRIGGER more BEFORE INSERT ${ON} SET NEW.size = 7`]],
      ['drops', ['DROP TRIGGER emails_ai']],
      ['replaces', ['DROP TRIGGER emails_ai', `CREATE TRIGGER emails_ai AFTER INSERT ${ON} SET @x = 1`]],
    ] as const) {
      for (const when of every(2, ['beforeCutOver', 'beforeRowCopy'] as const)) {
        it(`somebody who ${what} one at ${when} is noticed, and nothing is swapped`, async () => {
          const test = await TestTable.create(server);
          await auditTable(test);
          const change = async (): Promise<void> => {
            for (const sql of statements) await test.query(sql);
          };
          const error = await test.failure(ADD_COLUMN, { hooks: { [when]: change } });
          expect(error).to.include({ code: 'LHM_TRIGGERS_CHANGED', outcome: 'rolled-back' });
          expect(await test.definition()).not.to.contain('extra');
          expect((await triggerFacts(test)).length).to.equal(
            what === 'creates' ? 8 : what === 'drops' ? 6 : 7,
          );
          await expectNoLeaks(test);
          await test.drop();
        });
      }
    }
  });
}
