import type { Client } from '../client';
import { Random } from '../random';
import { fromCells } from '../row';
import { COLUMN_LIST } from '../statements';
import type { Watch } from '../watch';
import { Actor } from './actor';
import type { Run } from './run';
import { judge, withView } from './snapshot';

const PAGES = 40;
/** What is read at once stops this process for a moment, and with it the other clients. */
const LARGEST_PAGE = 500;
/** Dumps of a large table last longer than they should rather than take more of the processor than this. */
const SHARE = 0.2;
/** A dump that is still reading so long after the end was called for is not finished. */
const GRACE_MS = 3000;

/**
 * Dumps the whole table in one snapshot, again and again, so that there is one from every phase of a migration.
 *
 * Like mysqldump it may give back the lock on the table's definition after each page, which lets a migration swap the
 * table in the middle of the dump.
 */
export function startDump(run: Run, number: number): Actor {
  const { options, tally, stopper } = run;
  const random = Random.stream(options.seed, 3000 + number);
  const pageRows = Math.min(LARGEST_PAGE, Math.max(100, Math.ceil(options.rows / PAGES)));
  const pages = Math.ceil(options.rows / pageRows);

  const turn = async (client: Client): Promise<void> => {
    await stopper.sleep(random.between(0, options.restMs ?? options.dumpMs / 4));
    if (stopper.stopped) return;
    // MariaDB keeps the lock on the definition otherwise. A dump logs nothing, and need not be allowed to do this.
    await client.run('SET SESSION sql_log_bin = 0').catch(() => undefined);
    await withView(run, async (watch) => {
      await client.run('START TRANSACTION WITH CONSISTENT SNAPSHOT');
      const partners = await readPartners(run, client);
      // Half of the time passes before the table is touched at all.
      await stopper.sleep(random.between(0, options.dumpMs / 2));
      // A large table would be locked for too long.
      const letGo = pages > PAGES || random.chance(0.7);
      await client.run('SAVEPOINT page');
      const page = { rows: pageRows, pause: options.dumpMs / 2 / pages, letGo };
      const complete = await readTable(run, client, page, partners, watch);
      await client.run('COMMIT');
      if (complete) tally.reads.dumps += 1;
    });
  };
  return new Actor(run, { name: `dump ${number}`, isolation: 'REPEATABLE READ' }, turn);
}

async function readPartners(run: Run, client: Client): Promise<Map<number, number>> {
  const partners = new Map<number, number>();
  const sql = `SELECT id, version FROM ${run.statements.tables.pair} WHERE id > ? ORDER BY id LIMIT 5000`;
  for (let last = 0; ;) {
    const rows = await client.rows(sql, [last]);
    for (const [id, version] of rows) partners.set(Number(id), Number(version));
    if (rows.length < 5000) return partners;
    last = Number(rows.at(-1)?.[0]);
  }
}

/** Whether it was read to the end. */
async function readTable(
  run: Run,
  client: Client,
  page: { rows: number; pause: number; letGo: boolean },
  partners: ReadonlyMap<number, number>,
  watch: Watch,
): Promise<boolean> {
  const { ledger, statements, stopper, tally } = run;
  const sql = `SELECT ${COLUMN_LIST} FROM ${statements.tables.ledger} WHERE id > ? ORDER BY id LIMIT ${page.rows}`;
  for (let last = 0; ;) {
    const from = performance.now();
    const rows = (await client.rows(sql, [last])).map(fromCells);
    const full = rows.length === page.rows;
    const to = full ? rows.at(-1)!.id : Number.MAX_SAFE_INTEGER;
    judge(run, { category: 'dump', by: 'dump' }, ledger.idsBetween(last + 1, to), rows, partners, watch);
    tally.reads.dumpRows += rows.length;
    if (!full) return true;
    if (stopper.stoppedFor > GRACE_MS) return false;
    last = to;
    if (!page.letGo) continue;
    await client.run('ROLLBACK TO SAVEPOINT page');
    await stopper.sleep(Math.max(page.pause, (performance.now() - from) * (1 / SHARE - 1)));
  }
}
