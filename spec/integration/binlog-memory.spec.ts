import { expect } from 'chai';

import { BinlogFixture } from '../support/binlog/fixture';
import { availableFlavors } from '../support/servers';

const ROWS = 1_000_000;
const MB = 1024 * 1024;

/** Bytes in use, buffers included, without what can be thrown away: buffers are counted until some time after that was done. */
async function inUse(): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 3; look++) {
    global.gc?.();
    const { heapUsed, external } = process.memoryUsage();
    least = Math.min(least, heapUsed + external);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return least;
}

for (const flavor of availableFlavors()) {
  describe(`a backlog of a million rows in the binary log of ${flavor}`, function () {
    this.timeout(300_000);
    let fixture: BinlogFixture;

    before(async () => {
      const { setFlagsFromString } = await import('node:v8');
      const { runInNewContext } = await import('node:vm');
      setFlagsFromString('--expose-gc');
      global.gc ??= runInNewContext('gc') as NodeJS.GCFunction;
      fixture = await BinlogFixture.start(flavor);
      await fixture.query('CREATE TABLE t (id INT NOT NULL PRIMARY KEY, v VARCHAR(50)) ENGINE = InnoDB');
      await fixture.query('SET SESSION cte_max_recursion_depth = 2000000').catch(() => undefined);
      await fixture.query('SET SESSION max_recursive_iterations = 2000000').catch(() => undefined);
    });

    after(() => fixture.end());

    for (const [how, sql] of [
      ['plain', null],
      [
        'compressed',
        flavor === 'mysql'
          ? 'SET SESSION binlog_transaction_compression = ON'
          : 'SET GLOBAL log_bin_compress = ON, log_bin_compress_min_len = 10',
      ],
    ] as const) {
      it(`takes no more memory than its buffer, while nobody takes it and while it is taken: ${how}`, async () => {
        if (sql !== null) await fixture.query(sql);
        await fixture.query('TRUNCATE TABLE t');
        const stream = await fixture.stream([await fixture.table('t', ['id'])], await fixture.position(), {
          bufferBytes: MB,
        });
        const before = await inUse();
        // One large transaction, which MySQL compresses as a whole.
        await fixture.query(
          `INSERT INTO t WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})` +
            ' SELECT i, REPEAT(i % 10, 40) FROM n',
        );
        await fixture.mark();
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const paused = (await inUse()) - before;
        let rows = 0;
        let most = 0;
        let expected = 1;
        for (let batches = 0; rows < ROWS; batches++) {
          const batch = await stream.next();
          for (const event of batch!.events) {
            if (event.kind !== 'rows' || event.table !== 't') continue;
            rows += event.rows.length;
            for (const { after } of event.rows) {
              if (after![0] !== String(expected))
                expect.fail(`${String(after![0])} came in the place of ${expected}`);
              expected++;
            }
          }
          expect(batch!.rows).to.be.below(10_000);
          if (batches % 300 === 0) most = Math.max(most, (await inUse()) - before);
        }
        stream.close();
        expect(rows).to.equal(ROWS);
        // A compressed transaction is one event, and is there as a whole: some 4 MB here, of 60.
        expect(paused / MB).to.be.below(8);
        expect(most / MB).to.be.below(16);
      });
    }
  });
}
