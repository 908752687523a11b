import { expect } from 'chai';

import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { intercept } from '../support/test-table-statements';

/** The order matters: the first must not be larger than the second. */
const SMALL_CACHE = { binlog_cache_size: '32768', max_binlog_cache_size: '65536' };
const ROWS = 200;
const CHUNK = /^INSERT INTO \S+_lhmn`(?!.*FALSE)/;

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`limits of the server that are too small on ${on}`, function () {
    this.timeout(120_000);
    let server: RunningServer;
    let test: TestTable;
    let was: { definition: string; rows: Record<string, unknown>[] };

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());
    afterEach(() => test.drop());

    const remember = async (): Promise<void> => {
      was = { definition: await test.definition(), rows: await test.rows() };
    };

    describe('max_binlog_cache_size', () => {
      beforeEach(async () => {
        test = await TestTable.create(server, {
          columns: 'id INT PRIMARY KEY, address VARCHAR(100) NOT NULL, body LONGTEXT NULL',
        });
        const rows = Array.from({ length: ROWS }, (_, i) => [i + 1, `a${i + 1}`, 'x'.repeat(1000)]);
        await test.query('INSERT INTO emails VALUES ?', [rows]);
      });

      /** Of every row, one by one: the application's own transactions are small. */
      const writeAll = async (): Promise<void> => {
        for (let id = 1; id <= ROWS; id++)
          await test.query("UPDATE emails SET body = CONCAT('y', SUBSTRING(body, 2)) WHERE id = ?", [id]);
      };

      for (const rows of [false, 150] as const) {
        it(`chunks and changes are made to fit (chunk.rows: ${rows})`, async () => {
          const result = await test.withGlobals(SMALL_CACHE, () =>
            test.migrate(ADD_COLUMN, {
              ...{ chunk: { rows }, verify: { rows: 50 } },
              hooks: { afterRowCopy: writeAll },
            }),
          );
          expect(result.rowsCopied).to.equal(ROWS);
          expect(result.changesApplied).to.be.at.least(ROWS);
          const bodies = await test.query<{ body: string }>('SELECT DISTINCT body FROM emails');
          expect(bodies).to.deep.equal([{ body: `y${'x'.repeat(999)}` }]);
          await expectNoLeaks(test);
        });
      }

      // The administrator's connection has had its cache since before it was made smaller.
      const LONG = "UPDATE emails SET body = REPEAT('z', 200000) WHERE id = 77";

      it('one row that is larger than all of it is copied by itself', async () => {
        await test.query(LONG);
        await remember();
        await test.withGlobals(SMALL_CACHE, () => test.migrate(ADD_COLUMN, { chunk: { rows: 50 } }));
        expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      });

      for (const at of ['afterRowCopy', 'beforeCutOver'] as const) {
        it(`one row that is changed, ${at}, is too large to be applied: told, and taken back`, async () => {
          const change = async (): Promise<void> => {
            await test.query(LONG);
            await test.query(LONG.replace('z', 'zz'));
            await remember();
          };
          await test.query(LONG);
          const error = await test.withGlobals(SMALL_CACHE, () =>
            test.failure(ADD_COLUMN, { chunk: { rows: 50 }, hooks: { [at]: change } }),
          );
          expect(error.hint).to.match(/Not even one row fits: raise max_binlog_cache_size/);
          await expectTakenBack(test, error, was, { code: 'LHM_LIMIT_TOO_SMALL' });
          await test.migrate(ADD_COLUMN, { knex: test.makeKnex() });
          expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
        });
      }
    });

    describe('max_allowed_packet', () => {
      const LONG_KEYS = 60;

      const create = async (characters: number): Promise<void> => {
        test = await TestTable.create(server, {
          columns:
            'id VARCHAR(700) CHARACTER SET utf8mb4 NOT NULL PRIMARY KEY, address VARCHAR(100) NOT NULL, place INT NOT NULL DEFAULT -1, UNIQUE KEY by_place (place)',
        });
        const rows = Array.from({ length: LONG_KEYS }, (_, i) => [
          String(i + 100) + '😀'.repeat(characters),
          'a',
          i,
        ]);
        await test.query('INSERT INTO emails VALUES ?', [rows]);
      };

      /** Every value goes to another row. */
      const move = async (): Promise<void> => {
        await test.query(`UPDATE emails SET place = place + ${LONG_KEYS}`);
        await test.query(`UPDATE emails SET place = MOD(place + ${LONG_KEYS / 2}, ${LONG_KEYS})`);
      };

      const expectMoved = async (): Promise<void> => {
        const places = await test.query<{ place: number }>('SELECT place FROM emails ORDER BY id');
        expect(places.map(({ place }) => place)).to.deep.equal(
          Array.from({ length: LONG_KEYS }, (_, i) => (i + LONG_KEYS / 2) % LONG_KEYS),
        );
        expect(await test.definition()).to.contain('`extra`');
        await expectNoLeaks(test);
      };

      for (const [packet, characters] of [
        [65_536, 690],
        [16_384, 150],
      ] as const) {
        it(`of ${packet} bytes: as few keys of ${characters} characters are named at once as fit`, async () => {
          await create(characters);
          await test.withGlobal('max_allowed_packet', String(packet), () =>
            test.migrate(ADD_COLUMN, {
              ...{ chunk: { rows: 25 }, verify: { rows: 25 } },
              hooks: { afterRowCopy: move },
            }),
          );
          await expectMoved();
        });
      }

      it('lowered meanwhile, so that a new connection of ours has less', async () => {
        await create(690);
        const done = intercept(test.knex, {
          ...{ match: CHUNK, when: 'before', skip: 1 },
          run: async (id) => {
            await move();
            await test.query('SET GLOBAL max_allowed_packet = 65536');
            await test.query(`KILL ${id}`);
          },
        });
        await test.withGlobal('max_allowed_packet', '1048576', () =>
          test.migrate(ADD_COLUMN, { chunk: { rows: 25 }, verify: { rows: 25 } }),
        );
        expect(done.happened).to.equal(true);
        await expectMoved();
      });
    });

    it('a page that holds less: the row that does not fit is named, or the definition refused', async () => {
      const names = Array.from({ length: 30 }, (_, i) => `v${i}`);
      test = await TestTable.create(server, {
        columns: `id INT PRIMARY KEY, address VARCHAR(100), ${names.map((name) => `${name} VARCHAR(255) CHARACTER SET latin1`).join(', ')}`,
      });
      const values = (text: string): string => names.map(() => text).join(', ');
      await test.query(`INSERT INTO emails VALUES (1, 'a', ${values("'short'")})`);
      const long = 'LEFT(CONCAT(SHA2(RAND(), 512), SHA2(RAND(), 512)), 250)';
      await test.query(
        `INSERT INTO emails (id, address, ${names.join(', ')}) SELECT 2, 'b', ${values(long)}`,
      );
      await remember();
      const error = await test.failure('ROW_FORMAT = COMPRESSED KEY_BLOCK_SIZE = 4');
      expect(error.message).to.match(/Row size too large/);
      const expected =
        flavor === 'mysql'
          ? ({ code: 'LHM_DATA_WOULD_BE_LOST', phase: 'copy' } as const)
          : ({ code: 'LHM_ALTER_FAILED', outcome: 'untouched' } as const);
      await expectTakenBack(test, error, was, expected);
    });
  });
}
