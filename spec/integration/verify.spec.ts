import { expect } from 'chai';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { aroundQueries, intercept } from '../support/test-table-statements';

const ALTERS = {
  'compared in place': 'ADD COLUMN extra INT',
  'compared by the scratch table': 'ADD COLUMN extra INT, MODIFY size BIGINT UNSIGNED NOT NULL',
} as const;

/** What the walk over the whole table sends for each range. */
const COMPARES = /^SELECT hadron_rows|^INSERT INTO \S*_lhmx_/;

/** Whatever compares, the second look at some keys included. */
const LOOKS = new RegExp(`${COMPARES.source}|NOT COALESCE\\(`);

for (const { flavor, mode, on, itOnce } of serversAndModes()) {
  describe(`verification on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => {
      server = await startServer(flavor, { mode, args: ['--log-bin-trust-function-creators=1'] });
    });
    after(() => server.stop());

    beforeEach(async () => {
      test = await TestTable.create(server);
      was = { definition: await test.definition(), rows: await test.rows() };
    });
    afterEach(() => test.drop());

    /** Somebody who writes to the new table before each comparison. */
    function tamper(sql: string): void {
      aroundQueries(test.knex, (query) => (text, values, callback) => {
        if (!LOOKS.test(text)) return query(text, values, callback);
        return void test.query(sql).then(
          () => {
            // In braces: what the driver returns has a `then` that must not be called.
            query(text, values, callback);
          },
          (error: unknown) => callback(error as Parameters<typeof callback>[0]),
        );
      });
    }

    for (const [how, alter] of Object.entries(ALTERS)) {
      describe(how, () => {
        async function expectRefused(message: RegExp): Promise<void> {
          const error = await test.failure(alter);
          expect(error.message).to.match(message);
          await expectTakenBack(test, error, was, { code: 'LHM_VERIFY_FAILED' });
        }

        itOnce('both values of a row that differs are told', async () => {
          tamper("UPDATE emails_lhmn SET note = 'wrong ', size = 71 WHERE id = 7");
          await expectRefused(
            /^1 rows .*\(id = 7: size is 71 and should be 70, note is 'wrong ' and should be 'note 7'\)\.$/,
          );
        });

        itOnce('a row that is missing', async () => {
          tamper('DELETE FROM emails_lhmn WHERE id = 8');
          await expectRefused(/\(id = 8: is missing in the new table\)/);
        });

        itOnce('a row that is not in the original', async () => {
          tamper(
            "INSERT INTO emails_lhmn (id, address, size) VALUES (15, 'x', 1) ON DUPLICATE KEY UPDATE address = address",
          );
          await test.query('DELETE FROM emails WHERE id = 15');
          was = { definition: await test.definition(), rows: await test.rows() };
          await expectRefused(/\(id = 15: is not in the original\)/);
        });

        itOnce('many rows: the first are described, the others counted', async () => {
          tamper('UPDATE emails_lhmn SET size = id + 10 WHERE id <= 12');
          await expectRefused(/^12 rows .*\(id = 1: size is 11 and should be 10\).*, and 7 more\.$/);
        });

        it('a difference that somebody made once is repaired', async () => {
          const spoilt = intercept(test.knex, {
            ...{ match: COMPARES, when: 'before' },
            run: async () => {
              await test.query("UPDATE emails_lhmn SET note = 'wrong' WHERE id = 7");
              await test.query('DELETE FROM emails_lhmn WHERE id = 8');
            },
          });
          const { verified, changesApplied } = await test.migrate(alter);
          expect(spoilt.happened).to.equal(true);
          expect(verified).to.include({ rows: was.rows.length, notCompared: 0 });
          expect(changesApplied).to.be.at.least(2);
          expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
          await expectNoLeaks(test);
        });

        it('a walk that loses its connection goes on where it was', async () => {
          const seen: string[] = [];
          aroundQueries(test.knex, (query) => (text, values, callback) => {
            if (COMPARES.test(text)) seen.push(text);
            return query(text, values, callback);
          });
          const killed = intercept(test.knex, {
            ...{ match: COMPARES, when: 'before', skip: 3 },
            run: (id) => test.query(`KILL ${id}`).then(() => undefined),
          });
          const { verified } = await test.migrate(alter, { verify: { rows: 5 } });
          expect(killed.happened).to.equal(true);
          expect(verified).to.include({ rows: was.rows.length, notCompared: 0 });
          // Six full ranges and the end, one of them twice.
          expect(seen.length).to.be.within(7, 8);
          expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
        });

        it('what is written to after its range was compared is compared again, the last of it under the lock', async () => {
          const late = intercept(test.knex, {
            ...{ match: COMPARES, when: 'after', skip: 2 },
            run: () =>
              test.query('UPDATE emails SET size = size + 1 WHERE id IN (1, 2)').then(() => undefined),
          });
          const last = intercept(test.knex, {
            ...{ match: /^LOCK TABLES .*lhmn/, when: 'before' },
            run: () =>
              test.query('UPDATE emails SET size = size + 1 WHERE id IN (2, 30)').then(() => undefined),
          });
          const { verified } = await test.migrate(alter, { verify: { rows: 5 } });
          expect([late.happened, last.happened]).to.deep.equal([true, true]);
          expect(verified).to.deep.include({
            rows: was.rows.length,
            rechecked: 4,
            underLock: 2,
            notCompared: 0,
          });
          const sizes = (await test.rows()).map(({ size }) => Number(size));
          expect([sizes[0], sizes[1], sizes[29]]).to.deep.equal([11, 22, 301]);
        });
      });
    }

    itOnce('values are shown so that a person sees what differs', async () => {
      const columns = {
        tail: ['VARCHAR(20)', "'a'", "'a '", "'a ' and should be 'a'"],
        letter: ['VARCHAR(20)', "'a'", "'A'", "'A' and should be 'a'"],
        nothing: ['INT', 'NULL', '1', '1 and should be NULL'],
        bytes: ['VARBINARY(20)', "X'00FF'", "X'00FE'", '0x00FE and should be 0x00FF'],
        document: ['JSON', `'{"a": 1}'`, `'{"a": 2}'`, /'\{"a": 2\}' and should be '\{"a": 1\}'/],
        bits: ['BIT(4)', "b'101'", "b'111'", '7 and should be 5'],
        moment: [
          'DATETIME(3)',
          "'2026-01-02 03:04:05.678'",
          "'2026-01-02 03:04:05.679'",
          '2026-01-02 03:04:05.679 and should be 2026-01-02 03:04:05.678',
        ],
        amount: [
          'DECIMAL(30,5)',
          '12345678901234567890.12345',
          '1',
          '1.00000 and should be 12345678901234567890.12345',
        ],
      } as const;
      for (const [name, [type, right, wrong, shown]] of Object.entries(columns)) {
        const table = `t_${name}`;
        await test.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, v ${type}, w INT)`);
        await test.query(`INSERT INTO ${table} VALUES (1, ${right}, 0)`);
        const spoils = `CREATE TRIGGER spoils_${name} BEFORE INSERT ON ${table}_lhmn FOR EACH ROW SET NEW.v = ${wrong}`;
        const error = await test.failure(
          'MODIFY w BIGINT',
          { hooks: { beforeRowCopy: () => test.query(spoils).then(() => undefined) } },
          table,
        );
        expect(error.code, name).to.equal('LHM_VERIFY_FAILED');
        const found = /v is (.*)\)\.$/.exec(error.message)?.[1] ?? error.message;
        if (typeof shown === 'string') expect(found).to.equal(shown);
        else expect(found).to.match(shown);
      }
    });
  });
}
