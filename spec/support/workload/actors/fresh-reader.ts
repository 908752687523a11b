import type { Client } from '../client';
import { compare } from '../compare';
import { Random } from '../random';
import { fromCells, type Cell } from '../row';
import { COLUMN_LIST, marks } from '../statements';
import { Actor } from './actor';
import type { Run } from './run';

/**
 * Reads with a fresh view and expects every write that was acknowledged before: one that is missing for even a moment
 * is a table which came back under its name too early.
 */
export function startFreshReader(run: Run, number: number): Actor {
  const { options, layout, ledger, tally, statements } = run;
  const random = Random.stream(options.seed, 1000 + number);
  const select = `SELECT ${COLUMN_LIST} FROM ${statements.tables.ledger} WHERE id`;

  /** What to read: mostly what was just written, now and then a stretch of the key with all that must not be there. */
  const choose = (): { sql: string; values: Cell[]; ids: number[] } => {
    if (random.chance(0.8) && ledger.recent.length > 0) {
      const ids = [...new Set(ledger.recent.slice(-16))];
      return { sql: `${select} IN (${marks(ids)})`, values: ids, ids };
    }
    const from = 1 + random.int(layout.span);
    return {
      sql: `${select} BETWEEN ? AND ?`,
      values: [from, from + 149],
      ids: [...ledger.idsBetween(from, from + 149)],
    };
  };

  const turn = async (client: Client): Promise<void> => {
    const { sql, values, ids } = choose();
    const watch = ledger.watch();
    try {
      const rows = (await client.rows(sql, values)).map(fromCells);
      tally.reads.fresh += 1;
      tally.reads.freshRows += rows.length;
      for (const { category, id, detail } of compare(ledger, ids, rows, (id) => watch.changed(id))) {
        tally.finding('reader', 'fresh read', id, `${category}: ${detail}`);
      }
    } finally {
      watch.close();
    }
    await run.stopper.sleep(random.between(2, 12));
  };
  return new Actor(
    run,
    { name: `reader ${number}`, isolation: 'READ COMMITTED', prepared: number % 2 === 1 },
    turn,
  );
}
