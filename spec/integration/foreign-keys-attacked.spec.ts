import { expect } from 'chai';
import { largeHadronCleanUp, planLargeHadronMigration, type LargeHadronError } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks, oldTables } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable, without } from '../support/test-table';
import { migrationConnections, until } from '../support/test-table-process-list';
import { ChildMigration } from '../support/test-table-process';
import { intercept } from '../support/test-table-statements';

const ADD = 'ADD COLUMN extra INT';

/** What was found by those who tried to break the change of hands of foreign keys. */
for (const { flavor, mode, on, every, once, itOnce } of serversAndModes()) {
  describe(`foreign keys under attack on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    beforeEach(async () => {
      test = await TestTable.create(server);
      await test.query('DROP TABLE emails');
    });
    afterEach(() => test.drop());

    const setUp = async (...statements: string[]): Promise<void> => {
      for (const sql of statements) await test.query(sql);
    };
    const run =
      (...statements: string[]) =>
      (): Promise<void> =>
        setUp(...statements);
    const ORGS = 'CREATE TABLE orgs (id INT PRIMARY KEY)';
    const NOTES =
      'CREATE TABLE notes (id INT PRIMARY KEY, email INT NULL, CONSTRAINT notes_email FOREIGN KEY (email) REFERENCES emails (id))';

    async function refused(
      alter: string,
      says: RegExp,
      code = 'LHM_FOREIGN_KEYS',
    ): Promise<LargeHadronError> {
      const before = await test.snapshot();
      const error = await test.failure(alter);
      expect(error.code, error.message).to.equal(code);
      expect(error.message).to.match(says);
      expect(await test.snapshot()).to.deep.equal(before);
      await expectNoLeaks(test);
      return error;
    }

    for (const hook of every(2, ['beforeCutOver', 'afterRowCopy'] as const)) {
      for (const verify of [true, false]) {
        it(`a row that DELETE IGNORE of its parent leaves in place, since it has children (${hook}, verify ${verify}): still there`, async () => {
          await setUp(
            ORGS,
            'CREATE TABLE emails (id INT PRIMARY KEY, org INT NULL, CONSTRAINT up FOREIGN KEY (org) REFERENCES orgs (id) ON DELETE CASCADE)',
            NOTES,
            'INSERT INTO orgs VALUES (1), (2)',
            'INSERT INTO emails VALUES (1, 1), (2, 2), (3, 2), (4, 2), (5, 1)',
            'INSERT INTO notes VALUES (1, 3)',
          );
          await test.migrate(ADD, { verify, hooks: { [hook]: run('DELETE IGNORE FROM orgs WHERE id = 2') } });
          const [old] = await oldTables(test);
          expect(without(await test.rows(), 'extra')).to.deep.equal(await test.rows(old));
          // Which ones MySQL deletes nevertheless is its own affair.
          expect((await test.rows()).length).to.be.above(2);
          await expectNoLeaks(test);
        });
      }
    }

    const SET_NULL =
      'CREATE TABLE emails (id INT PRIMARY KEY, org INT NULL, CONSTRAINT up FOREIGN KEY (org) REFERENCES orgs (id) ON DELETE SET NULL)';
    for (const [what, alter] of once([
      ['a generated column', 'ADD u INT AS (COALESCE(org, 0)) VIRTUAL'],
      ['a unique index', 'ADD UNIQUE KEY by_org (org)'],
    ] as const)) {
      it(`${what} of the new table over what a cascade changes: refused`, async () => {
        await setUp(ORGS, SET_NULL);
        await refused(alter, /changes columns by cascade/);
      });
    }

    itOnce(
      'a key that is made to the table in the instant of the swap leads to the new one, or is told',
      async () => {
        await setUp('CREATE TABLE emails (id INT PRIMARY KEY)', 'INSERT INTO emails VALUES (1), (2)');
        const other = await test.connect();
        let made: Promise<unknown> = Promise.resolve();
        intercept(test.knex, {
          ...{ match: /^RENAME TABLE/, when: 'before' },
          run: async () => {
            made = other.query(
              'CREATE TABLE late (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES emails (id))',
            );
            if (flavor === 'mariadb') await made;
          },
        });
        const migrating = test.migrate(ADD);
        if (flavor === 'mariadb') {
          const error = await failureOf(migrating);
          expect(error).to.include({ code: 'LHM_ORIGIN_CHANGED', outcome: 'swapped' });
          expect(error.message).to.match(/of '\S+\.late'.*leads to the old table/);
          const [alter] = /ALTER TABLE .*?;/.exec(error.hint)!;
          await test.query(alter);
          await largeHadronCleanUp('emails', { knex: test.knex });
        } else {
          await migrating;
          await made;
        }
        expect(await test.definition('late')).to.match(/REFERENCES `emails` /);
        await expectNoLeaks(test);
      },
    );

    for (const [what, ...statements] of once([
      [
        'gets another rule',
        'ALTER TABLE notes DROP FOREIGN KEY notes_email',
        'ALTER TABLE notes ADD CONSTRAINT notes_email FOREIGN KEY (email) REFERENCES emails (id) ON DELETE CASCADE',
      ],
      ['has its column renamed', 'ALTER TABLE notes CHANGE email mail INT NULL'],
      ['is renamed', 'RENAME TABLE notes TO remarks'],
      [
        'is renamed, and another one gets its name',
        'RENAME TABLE notes TO remarks',
        'CREATE TABLE notes (id INT PRIMARY KEY)',
      ],
    ] as const)) {
      it(`a child that ${what} meanwhile: noticed, and left so`, async () => {
        await setUp('CREATE TABLE emails (id INT PRIMARY KEY)', NOTES, 'INSERT INTO emails VALUES (1), (2)');
        const now: string[] = [];
        const child = /RENAME/.test(statements[0]) ? 'remarks' : 'notes';
        const migrating = test.migrate(ADD, {
          hooks: {
            beforeCutOver: async () => {
              await setUp(...statements);
              now.push(await test.definition(child));
            },
          },
        });
        const renamed = await migrating.then(
          () => null,
          () => failureOf(migrating),
        );
        // A child that was only renamed has the same key still, and it is found where it is.
        if (renamed !== null) {
          expect(renamed.code, renamed.message).to.equal('LHM_ORIGIN_CHANGED');
          expect(renamed.outcome).to.equal('rolled-back');
        }
        expect(await test.definition(child)).to.equal(now[0]);
        expect(renamed).not.to.equal(null);
        await expectNoLeaks(test);
        await test.migrate(ADD);
        expect(await test.definition(child)).to.equal(now[0]);
      });
    }

    itOnce('a key whose name would be too long: refused', async () => {
      const table = 't'.repeat(60);
      await setUp(ORGS, `CREATE TABLE ${table} (id INT PRIMARY KEY, org INT NULL)`);
      const error = await test.failure('ADD FOREIGN KEY (org) REFERENCES orgs (id)', {}, table);
      expect(error.code, error.message).to.match(/LHM_FOREIGN_KEYS|LHM_ALTER_FAILED/);
      expect(error.outcome).to.equal('untouched');
      await expectNoLeaks(test);
      await test.migrate('ADD CONSTRAINT short FOREIGN KEY (org) REFERENCES orgs (id)', {}, table);
      expect(await test.definition(table)).to.contain('CONSTRAINT `short`');
    });

    itOnce('a name that the server would make up, and somebody has: refused', async () => {
      await setUp(
        ORGS,
        'CREATE TABLE emails (id INT PRIMARY KEY, org INT NULL)',
        'CREATE TABLE other (id INT PRIMARY KEY, CONSTRAINT emails_ibfk_1 FOREIGN KEY (id) REFERENCES orgs (id))',
      );
      await refused('ADD FOREIGN KEY (org) REFERENCES orgs (id)', /emails_ibfk_1.*'other'/);
    });

    for (const mending of once(['the clean-up', 'the next run'] as const)) {
      it(`a run that is killed after the child's key was changed, and a child that is altered then: ${mending} puts it right`, async () => {
        await setUp('CREATE TABLE emails (id INT PRIMARY KEY)', NOTES, 'INSERT INTO emails VALUES (1), (2)');
        const child = ChildMigration.start(test, {
          ...{ alter: ADD, options: {} },
          stop: { statement: '^ALTER TABLE \\S*notes` .*ADD CONSTRAINT', when: 'after' },
        });
        await child.reached();
        await child.kill();
        await until('the end of the killed connections', async () =>
          (await migrationConnections(test)).length === 0 ? true : undefined,
        );
        await test.query('ALTER TABLE notes CHANGE email mail INT NULL');
        if (mending === 'the clean-up') await largeHadronCleanUp('emails', { knex: test.knex });
        else await test.migrate(ADD);
        expect(await test.definition('notes')).to.match(
          /CONSTRAINT `notes_email` FOREIGN KEY \(`mail`\) REFERENCES `emails` \(`id`\)/,
        );
        expect((await test.definition('notes')).match(/CONSTRAINT/g)).to.have.length(1);
        await expectNoLeaks(test);
      });
    }

    itOnce(
      'a run that is killed before the RENAME, and rows that are written then: told, or kept out',
      async () => {
        await setUp('CREATE TABLE emails (id INT PRIMARY KEY)', NOTES, 'INSERT INTO emails VALUES (1), (2)');
        const child = ChildMigration.start(test, {
          ...{ alter: ADD, options: {} },
          stop: { statement: '^ALTER TABLE \\S*notes` .*ADD CONSTRAINT', when: 'after' },
        });
        await child.reached();
        await child.kill();
        await until('the end of the killed connections', async () =>
          (await migrationConnections(test)).length === 0 ? true : undefined,
        );
        // The copy has it still, by which the key is looked up where the table's own is away.
        await test.query('DELETE FROM emails WHERE id = 2');
        const written = await test.query('INSERT INTO notes VALUES (1, 2)').then(
          () => true,
          () => false,
        );
        expect(written).to.equal(flavor === 'mariadb');
        const cleaning = largeHadronCleanUp('emails', { knex: test.knex });
        if (written) {
          const error = await failureOf(cleaning);
          expect(error.code).to.equal('LHM_FOREIGN_KEY_ORPHANS');
          expect(error.message).to.match(
            /rows of '\S+\.notes' have no parent under 'notes_email': email = 2\./,
          );
          await test.query('DELETE FROM notes');
        } else await cleaning;
        expect(await test.definition('notes')).to.match(/CONSTRAINT `notes_email` .* REFERENCES `emails` /);
        await expectNoLeaks(test);
        await test.migrate(ADD);
      },
    );

    it('children of one parent, migrated at the same time', async () => {
      await setUp(ORGS, 'INSERT INTO orgs VALUES (1), (2)');
      const children = ['a', 'b', 'c'].map((name) => `children_${name}`);
      for (const child of children) {
        await setUp(
          `CREATE TABLE ${child} (id INT PRIMARY KEY, org INT NULL, CONSTRAINT ${child}_org FOREIGN KEY (org) REFERENCES orgs (id) ON DELETE CASCADE)`,
          `INSERT INTO ${child} VALUES (1, 1), (2, 2), (3, NULL)`,
        );
      }
      await Promise.all(children.map((child) => test.migrate(ADD, { knex: test.makeKnex() }, child)));
      for (const child of children) {
        expect(await test.definition(child))
          .to.contain('extra')
          .and.contain(`CONSTRAINT \`${child}_org\``);
        expect(await test.rows(child)).to.have.length(3);
      }
      await expectNoLeaks(test);
    });

    itOnce('the plan names the keys, and what becomes of them', async () => {
      await setUp(
        ORGS,
        'CREATE TABLE emails (id INT PRIMARY KEY, org INT NULL, CONSTRAINT up FOREIGN KEY (org) REFERENCES orgs (id) ON DELETE CASCADE)',
        NOTES,
      );
      const before = await test.snapshot();
      const plan = await planLargeHadronMigration('emails', { knex: test.knex }, ADD);
      expect(plan.foreignKeys).to.have.length(2);
      expect(plan.foreignKeys[0]).to.match(/^'up' of \S+\.emails \(org\) to \S+\.orgs \(id\): .*cascades/);
      expect(plan.foreignKeys[1]).to.match(/^'notes_email' of \S+\.notes \(email\).*leads to the new table/);
      expect(plan.text).to.contain(plan.foreignKeys[0]!).and.contain(plan.foreignKeys[1]!);
      expect(await test.snapshot()).to.deep.equal(before);
    });

    it('a key of the new table whose ALTER is killed: told as that, and not as a key that is not followed', async () => {
      await setUp(
        ORGS,
        'CREATE TABLE emails (id INT PRIMARY KEY, org INT, CONSTRAINT up FOREIGN KEY (org) REFERENCES orgs (id) ON DELETE CASCADE)',
      );
      const knex = test.makeKnex();
      const killed = intercept(knex, {
        ...{ match: /^ALTER TABLE .*_lhmn` ADD CONSTRAINT/, when: 'before', run: () => undefined },
        rewrite: () => "SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1317, MESSAGE_TEXT = 'killed'",
      });
      const error = await test.failure(ADD, { knex });
      expect(killed.happened).to.equal(true);
      expect(error.code, error.message).not.to.equal('LHM_FOREIGN_KEYS');
      expect(error.outcome).to.equal('untouched');
      await expectNoLeaks(test);
    });

    itOnce(
      'a key that is added to a table without any, by a strategy that is not safe with keys',
      async () => {
        await setUp(ORGS, 'CREATE TABLE emails (id INT PRIMARY KEY, org INT NULL)');
        const alter = 'ADD CONSTRAINT up FOREIGN KEY (org) REFERENCES orgs (id)';
        for (const strategy of ['sentry', 'two-step', 'rename-then-replay'] as const) {
          if (strategy === 'sentry' && flavor === 'mariadb') continue;
          const error = await test.failure(alter, { cutOver: { strategy } });
          expect(error).to.include({ code: 'LHM_UNSUPPORTED_OPTION', outcome: 'untouched' });
          await expectNoLeaks(test);
        }
        await test.migrate(alter);
        expect(await test.definition()).to.contain('CONSTRAINT `up`');
      },
    );

    it('names of keys with a slash, and a child whose name differs in case alone', async () => {
      await setUp(
        'CREATE TABLE emails (id INT PRIMARY KEY)',
        'INSERT INTO emails VALUES (1)',
        'CREATE TABLE Emails (id INT PRIMARY KEY, CONSTRAINT `in/out` FOREIGN KEY (id) REFERENCES emails (id))',
      );
      await test.migrate(ADD);
      expect(await test.definition('Emails'))
        .to.contain('CONSTRAINT `in/out`')
        .and.contain('REFERENCES `emails` ');
      await expectNoLeaks(test);
    });
  });
}
