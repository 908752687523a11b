import { expect } from 'chai';
import knex, { type Knex } from 'knex';
import { Refusal } from '../../lib/errors';
import type { AlterFunction } from '../../lib/ghost/alter-function';
import { createAlterKnex } from '../../lib/ghost/knex-on-session';
import { runAlter, type AlterOutcome } from '../../lib/ghost/run-alter';
import type { RetargetedStatement } from '../../lib/schema/retarget-statement';
import { definitionText } from '../../lib/schema/table-schema';
import { BUILDER_USAGES } from '../support/alter/builder-usages';
import { alterTables, bothDefinitions, definition, type AlterTables } from '../support/alter/tables';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';

for (const flavor of availableFlavors()) {
  describe(`the alter function on ${flavor}`, function () {
    // The first run on a machine fetches the server.
    this.timeout(300_000);

    let server: RunningServer;
    let tables: AlterTables;
    let untouched: string;

    before(async () => {
      server = await startServer(flavor);
      tables = await alterTables(server);
    });

    after(async () => {
      await tables.close();
      await server.stop();
    });

    beforeEach(async () => {
      await tables.reset();
      untouched = await origin();
    });

    afterEach(async () => {
      expect(definitionText(await origin())).to.equal(untouched);
    });

    const run = (alter: AlterFunction | string, userKnex: Knex = tables.knex): Promise<AlterOutcome> =>
      runAlter(alter, { ...tables, knex: userKnex, modes: {} });
    const origin = (): Promise<string> => definition(tables.session, tables.target.schema, 'emails');
    const ghost = (): Promise<string> => definition(tables.session, tables.target.schema, 'emails_lhmn');
    const refusal = async (work: Promise<unknown>): Promise<Refusal> => {
      const error: unknown = await work.then(
        () => 'no refusal',
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(Refusal);
      return error as Refusal;
    };

    describe('gives the ghost what plain Knex gives the table', () => {
      for (const [what, change, only = flavor] of BUILDER_USAGES) {
        if (only !== flavor) continue;
        it(what, async () => {
          await tables.plain.schema.alterTable('emails', (t) => change(t, tables.plain));
          await run((t) => change(t, tables.knex));
          const { ghost: made, twin } = await bothDefinitions(tables);
          expect(made).to.equal(twin).and.not.equal(untouched);
        });
      }

      if (flavor === 'mariadb') {
        it('dropUniqueIfExists, which Knex compiles for MariaDB only', async () => {
          const change = (t: Knex.AlterTableBuilder): void => {
            (t as unknown as { dropUniqueIfExists(columns: string[]): void }).dropUniqueIfExists(['address']);
          };
          await tables.plain.schema.alterTable('emails', change);
          await run(change);
          const { ghost: made, twin } = await bothDefinitions(tables);
          expect(made).to.equal(twin).and.not.equal(untouched);
        });
      }
    });

    describe('createAlterKnex', () => {
      let statements: RetargetedStatement[];
      let alterKnex: Knex;

      beforeEach(() => {
        statements = [];
        const record = (statement: RetargetedStatement): void => void statements.push(statement);
        alterKnex = createAlterKnex(tables.knex, tables.session, tables.target, {}, record);
      });

      it("names indexes after the origin when the builder is given the ghost's name", async () => {
        await alterKnex.schema.alterTable('emails_lhmn', (t) => {
          t.string('hashed').unique();
          t.dropIndex(['size']);
        });
        await alterKnex.schema
          .withSchema('alter_app')
          .alterTable('emails_lhmn', (t) => void t.integer('n').index());
        const made = await ghost();
        expect(made).to.contain('`emails_hashed_unique`').and.contain('`emails_n_index`');
        expect(made).not.to.contain('emails_size_index').and.not.contain('lhmn');
      });

      it("reads the ghost's definition where Knex asks for the table's", async () => {
        await alterKnex.schema.alterTable('emails', (t) => void t.integer('n'));
        expect(await alterKnex.schema.hasColumn('emails', 'n')).to.equal(true);
        expect(await alterKnex.schema.hasTable('emails')).to.equal(true);
        expect(await alterKnex('emails').columnInfo()).to.have.property('n');
      });

      it("runs reads of the table on the table, through the user's own mapping", async () => {
        await tables.session.execute(
          "INSERT INTO alter_app.emails (address, first_name) VALUES ('a@b', 'Ann')",
        );
        await tables.session.execute('USE alter_app');
        expect(await alterKnex('emails').select('first_name')).to.deep.equal([{ first_name: 'Ann' }]);
      });

      it('refuses what must not run, and nothing is sent', async () => {
        const attempts: [string, Promise<unknown>][] = [
          ['LHM_ALTER_OTHER_TABLE', alterKnex.schema.alterTable('orgs', (t) => void t.integer('x'))],
          ['LHM_ALTER_RENAMES_TABLE', alterKnex.schema.renameTable('emails', 'x')],
          ['LHM_ALTER_UNSUPPORTED', alterKnex.schema.dropTable('emails')],
          ['LHM_ALTER_UNSUPPORTED', alterKnex('emails').update({ size: 1 }).then()],
          ['LHM_ALTER_UNSUPPORTED', alterKnex.transaction((trx) => trx.raw('SELECT 1'))],
        ];
        for (const [code, attempt] of attempts) expect((await refusal(attempt)).code).to.equal(code);
        expect(statements).to.be.empty;
      });

      it('follows a SET sql_mode', async () => {
        await alterKnex.raw("SET SESSION sql_mode = 'ANSI_QUOTES'");
        await alterKnex.raw('ALTER TABLE "emails" ADD "n" INT');
        await alterKnex.raw("SET SESSION sql_mode = 'STRICT_ALL_TABLES'");
        expect(await ghost()).to.contain('`n` int');
      });

      it('leaves the connection alone when it is destroyed', async () => {
        await alterKnex.destroy();
        expect(await tables.session.query('SELECT 1 AS one')).to.have.length(1);
      });
    });

    describe("the user's Knex", () => {
      const config = (more: Knex.Config): Knex => {
        const { connection } = server;
        return knex({
          client: 'mysql2',
          connection: { ...connection, database: 'alter_app' },
          pool: { min: 0, max: 1 },
          ...more,
        });
      };
      const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      const camel = (name: string): string =>
        name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
      const camelKeys = (row: object): object =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [camel(name), value as unknown]));
      const isRows = (result: unknown): result is object[] =>
        Array.isArray(result) &&
        result.every((row) => typeof row === 'object' && row !== null && !Array.isArray(row));
      const mapped: Knex.Config = {
        wrapIdentifier: (value, wrap) => wrap(snake(value)),
        postProcessResponse: (result: unknown) => (isRows(result) ? result.map(camelKeys) : result),
      };

      it('maps the names of columns', async () => {
        const user = config(mapped);
        const twin = knex({
          ...mapped,
          client: 'mysql2',
          connection: { ...server.connection, database: 'alter_twin' },
        });
        const change = (t: Knex.AlterTableBuilder): void => {
          t.string('lastName', 40).index();
          t.renameColumn('first_name', 'givenName');
          t.setNullable('size');
        };
        try {
          await twin.schema.alterTable('emails', change);
          const { tracker } = await run(change, user);
          const { ghost: made, twin: expected } = await bothDefinitions(tables);
          expect(made).to.equal(expected).and.contain('`last_name`').and.contain('`given_name`');
          expect(tracker.mapping().get('first_name')).to.equal('given_name');
        } finally {
          await Promise.all([user.destroy(), twin.destroy()]);
        }
      });

      it("does not map the two tables' names", async () => {
        const user = config({ wrapIdentifier: (value, wrap) => wrap(value.toUpperCase()) });
        await run(async (t, ctx) => {
          await ctx.raw('ALTER TABLE ?? ADD ?? INT', [ctx.ghostTable, 'm']);
          t.integer('n');
        }, user);
        expect(await ghost())
          .to.contain('`M` int')
          .and.contain('`N` int');
        await user.destroy();
      });

      it('may have its only connection in use', async () => {
        const user = config({});
        const trx = await user.transaction();
        await run((t) => void t.renameColumn('subject', 'title'), user);
        await trx.rollback();
        await user.destroy();
        expect(await ghost()).to.contain('`title`');
      });

      it('may be destroyed, or have no pool at all', async () => {
        const destroyed = config({});
        await destroyed.destroy();
        await run((t) => void t.setNullable('size'), destroyed);
        await run(
          (t) => void t.index(['body'], 'words', { indexType: 'FULLTEXT' }),
          config({ pool: { max: 0 } }),
        );
        expect(await ghost()).to.contain('FULLTEXT KEY `words`');
      });

      it('may get its connection from a function', async () => {
        const user = config({ connection: () => Promise.reject(new Error('must not be asked')) });
        await run((t) => void t.integer('n'), user);
        expect(await ghost()).to.contain('`n` int');
      });

      it('gets no connection and no event of ours', async () => {
        const user = config({});
        const queries: unknown[] = [];
        user.on('query', (query) => queries.push(query));
        await run((t) => void t.integer('n'), user);
        expect(queries).to.be.empty;
        expect((user.client as { pool: { numUsed(): number; numFree(): number } }).pool.numFree()).to.equal(
          0,
        );
        await user.destroy();
      });

      it('may be a class of its own', async () => {
        const Client = (tables.knex.client as { constructor: typeof Knex.Client }).constructor;
        class Audited extends Client {}
        const user = config({ client: Audited });
        await run((t) => void t.integer('n'), user);
        await user.destroy();
        expect(await ghost()).to.contain('`n` int');
      });
    });

    describe('runAlter', () => {
      it('says what it did', async () => {
        const { statements, changes, tracker, values } = await run(async (t, ctx) => {
          await ctx.raw('SET @x = 1');
          await ctx.raw('ALTER TABLE emails ADD lang CHAR(2) DEFAULT ?, ALGORITHM=INSTANT', ['de']);
          ctx.values['lang'] = "IF(size > 5, 'en', 'de')";
          t.renameColumn('subject', 'title');
          t.dropColumn('body');
        });
        expect(statements).to.have.length(3);
        const added = "ADD lang CHAR(2) DEFAULT 'de'";
        expect(statements[0]?.trim()).to.equal(`ALTER TABLE \`alter_app\`.\`emails_lhmn\` ${added}`);
        expect(changes[0]?.readable.trim()).to.equal(`ALTER TABLE \`emails\` ${added}`);
        expect(Object.fromEntries(tracker.mapping())).to.include({ subject: 'title', size: 'size' });
        expect(tracker.added()).to.deep.equal(['lang']);
        expect(tracker.dropped()).to.deep.equal(['body']);
        expect(values).to.deep.equal({ lang: "IF(size > 5, 'en', 'de')" });
      });

      it('takes the way of 2011: raw SQL on the name it is given', async () => {
        await run(async (_t, ctx) => {
          await ctx.raw(`alter table ${ctx.ghostTable} add column n int, add index by_n (n)`);
          await ctx.raw('create index by_body on :table: (body(10))', { table: ctx.ghostTable });
        });
        expect(await ghost())
          .to.contain('KEY `by_n`')
          .and.contain('KEY `by_body`');
      });

      it('takes a string', async () => {
        const { statements, tracker } = await run('ADD COLUMN n INT, CHANGE subject title TEXT, LOCK=NONE');
        expect(statements).to.have.length(1);
        expect(tracker.mapping().get('subject')).to.equal('title');
        expect((await run('ALTER TABLE emails DROP n;')).tracker.dropped()).to.be.empty;
      });

      it('runs raw statements before those of the builder, and one after another', async () => {
        await run((t, ctx) => {
          t.string('title', 10).alter();
          void ctx.raw('ALTER TABLE emails ADD a INT');
          void ctx
            .raw('ALTER TABLE emails RENAME COLUMN subject TO title')
            .then(() => ctx.raw('ALTER TABLE emails RENAME COLUMN a TO b'));
        });
        expect(await ghost())
          .to.contain('`title` varchar(10)')
          .and.contain('`b` int');
      });

      it('waits for the function', async () => {
        await run(async (t) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          t.integer('late');
        });
        expect(await ghost()).to.contain('`late`');
      });

      it('offers the builder as this', async () => {
        await run(function (this: Knex.AlterTableBuilder) {
          this.integer('n');
        });
        expect(await ghost()).to.contain('`n` int');
      });

      it('reports the failure of a raw statement that nobody awaits', async () => {
        const unhandled: unknown[] = [];
        const listen = (error: unknown): void => void unhandled.push(error);
        process.on('unhandledRejection', listen);
        try {
          const error = await refusal(
            run((t, ctx) => {
              t.integer('n');
              void ctx.raw('ALTER TABLE emails DROP nonsense');
              void ctx.raw('ALTER TABLE emails DROP nonsense').then(() => undefined);
            }),
          );
          expect(error.code).to.equal('LHM_ALTER_FAILED');
          await new Promise((resolve) => setTimeout(resolve, 20));
          expect(unhandled).to.be.empty;
          expect(await ghost()).not.to.contain('`n`');
        } finally {
          process.off('unhandledRejection', listen);
        }
      });

      it('leaves a failure that the user deals with to the user', async () => {
        await run(async (t, ctx) => {
          await ctx.raw('ALTER TABLE emails DROP nonsense').catch(() => undefined);
          t.integer('n');
        });
        expect(await ghost()).to.contain('`n` int');
      });

      it('refuses a raw statement that comes too late', async () => {
        let late: ((sql: string) => Promise<unknown>) | undefined;
        await run((t, ctx) => {
          t.integer('n');
          late = (sql) => ctx.raw(sql);
        });
        expect((await refusal(late!('ALTER TABLE emails ADD m INT'))).code).to.equal('LHM_ALTER_UNSUPPORTED');
      });

      it("keeps other tables' foreign keys when a column is renamed", async () => {
        await tables.session.execute(
          'CREATE TABLE alter_app.links (id INT UNSIGNED, CONSTRAINT to_email FOREIGN KEY (id) REFERENCES emails (id))',
        );
        await run((t) => void t.renameColumn('id', 'email_id'));
        expect(await definition(tables.session, 'alter_app', 'links')).to.contain(
          'REFERENCES `emails` (`id`)',
        );
      });

      it("says what the server refused, under the table's own name", async () => {
        const error = await refusal(run((t) => void t.dropColumn('nonsense')));
        expect(error.code).to.equal('LHM_ALTER_FAILED');
        expect(error.message).to.match(/nonsense.*alter table `emails` drop `nonsense`$/);
        expect(error.cause).to.have.property('errno', 1091);
        const raw = await refusal(
          run((_t, ctx) => ctx.raw('ALTER TABLE ?? FOO', [ctx.ghostTable]).then(() => undefined)),
        );
        expect(raw.message).to.match(/ALTER TABLE `emails` FOO$/);
        expect((await refusal(run('ADD'))).code).to.equal('LHM_ALTER_FAILED');
      });

      it('does not blame the alter function for a lost connection', async () => {
        const gone = Object.assign(new Error('gone'), { fatal: true });
        const session = Object.assign(Object.create(tables.session) as typeof tables.session, {
          raw: () => Promise.reject(gone),
        });
        for (const alter of ['ADD n INT', (_t, ctx) => void ctx.raw('ALTER TABLE emails FORCE')] as (
          AlterFunction | string
        )[]) {
          const thrown: unknown = await runAlter(alter, { ...tables, session, modes: {} }).catch(
            (e: unknown) => e,
          );
          expect(thrown).to.equal(gone);
        }
      });

      it('gives a hint where MySQL refuses a default that replicas could compute differently', async () => {
        const work = run('ADD COLUMN u CHAR(36) DEFAULT (uuid())');
        if (flavor === 'mysql') expect((await refusal(work)).hint).to.contain('ALTER COLUMN');
        else await work;
      });

      it('says so when Knex finds no such column', async () => {
        const error = await refusal(run((t) => void t.renameColumn('nonsense', 'x')));
        expect(error.code).to.equal('LHM_ALTER_FAILED');
      });

      it("passes on what the user's code throws", async () => {
        const mine = new Error('mine');
        const thrown: unknown = await run(() => {
          throw mine;
        }).catch((error: unknown) => error);
        expect(thrown).to.equal(mine);
      });

      it('refuses a function that changes nothing, unless it gives values', async () => {
        expect((await refusal(run(() => undefined))).code).to.equal('LHM_ALTER_CHANGES_NOTHING');
        expect((await refusal(run((_t, ctx) => void ctx.raw('SELECT 1')))).code).to.equal(
          'LHM_ALTER_CHANGES_NOTHING',
        );
        const { statements } = await run((_t, ctx) => void (ctx.values['subject'] = "''"));
        expect(statements).to.be.empty;
      });

      it('translates the names of constraints', async () => {
        await tables.session.execute(
          'ALTER TABLE alter_app.emails_lhmn ADD CONSTRAINT small_lhmn CHECK (size < 1000)',
        );
        const target = { ...tables.target, constraintNames: new Map([['small', 'small_lhmn']]) };
        await runAlter((t) => void t.dropChecks('small'), { ...tables, target, modes: {} });
        expect(await ghost()).not.to.contain('small');
      });
    });
  });
}
