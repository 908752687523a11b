import { expect } from 'chai';

import { BATCH_ENTRIES } from '../../lib/changes/replayer';
import { createKeyed, keyKinds, tuple } from '../support/keys/keyed-table';
import { KEY_KINDS, type KeyKind } from '../support/keys/kinds';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { measureReads, type StatementReads } from '../support/test-table-reads';

const ROWS = 100;
/** Chunks of the table, and as many ranges to compare. */
const CHUNKS = 16;
/** Keys that are written to at once, spread over the table. */
const WRITTEN = 12;

/** Everything that reads the table or its ghost: chunks, their ends, changes, comparisons. */
const READS_TABLE = /^(?:SELECT|INSERT|DELETE)\b.*`emails(?:_lhmn)?` FORCE INDEX/s;

/** Looks for the last key of a chunk. */
const ENDS_CHUNK = / LIMIT 1 OFFSET \d+$/;

for (const flavor of availableFlavors()) {
  describe(`what walking a table costs on ${flavor}`, function () {
    let server: RunningServer;
    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    /** A whole migration, with changes of some keys that are applied after the copy and after the comparison. */
    async function measured(
      kind: KeyKind,
      rows: number,
      chunk: number,
      keys: number,
    ): Promise<StatementReads[]> {
      const { test, sql } = await createKeyed(server, kind, rows);
      try {
        // Without statistics that are counted anew at some time or other, the server's choices are always the same.
        await test.query('ALTER TABLE emails STATS_AUTO_RECALC = 0');
        await test.query('ANALYZE TABLE emails');
        return await test.withGlobal('optimizer_switch', "'index_condition_pushdown=off'", async () => {
          const reads = measureReads(test.knex, READS_TABLE);
          const step = Math.floor(rows / keys);
          const written = Array.from({ length: keys }, (_, i) => tuple(kind.value(i * step + (i % 2))));
          const write = async (): Promise<void> => {
            await sql.query(
              `UPDATE emails SET n = n + 1 WHERE ${tuple(kind.key)} IN (${written.join(', ')})`,
            );
          };
          const { changesApplied } = await test.migrate(kind.alter ?? 'ADD COLUMN extra INT NULL', {
            ...{ chunk: { rows: chunk }, verify: { rows: chunk } },
            hooks: { afterRowCopy: write, beforeCutOver: write },
          });
          expect(changesApplied).to.equal(2 * keys);
          return reads;
        });
      } finally {
        await test.drop();
      }
    }

    for (const [name, kind] of keyKinds(flavor)) {
      it(`${name}: a statement reads about a chunk, and all of them a few times the table`, async () => {
        const rows = kind.rows ?? ROWS;
        const chunk = Math.floor(rows / CHUNKS);
        const reads = await measured(kind, rows, chunk, WRITTEN);
        // One for each chunk and for each range that is compared: gaps between the keys cost nothing.
        const ends = reads.filter(({ sql }) => ENDS_CHUNK.test(sql));
        expect(ends.length).to.equal(2 * (Math.floor(rows / chunk) + 1));

        // Some passes over the chunk, or over the keys written to, whatever the size of the table.
        const mostAtOnce = 5 * Math.max(WRITTEN, chunk) + 10;
        expect(mostAtOnce).to.be.below(rows);
        const many = reads.filter(
          ({ sql, reads: n }) => n > mostAtOnce && !(kind.few === true && ENDS_CHUNK.test(sql)),
        );
        expect(many).to.deep.equal([]);
        if (kind.few === true) return;
        // The ends of the ranges and the rows, once for the copy and once to compare them, with the ghost's by then; and for
        // each range the row that ends it.
        const all = reads.reduce((sum, { reads: n }) => sum + n, 0);
        expect(all).to.be.below(8 * rows + 8 * CHUNKS + 20 * WRITTEN);
      });
    }

    for (const name of ['INT', 'two columns']) {
      it(`${name}: as many changes as are applied at once are looked up one by one`, async () => {
        const reads = await measured(KEY_KINDS[name]!, 10 * BATCH_ENTRIES, BATCH_ENTRIES, BATCH_ENTRIES);
        expect(reads.filter(({ reads: n }) => n > 3 * BATCH_ENTRIES + 10)).to.deep.equal([]);
      });
    }
  });
}
