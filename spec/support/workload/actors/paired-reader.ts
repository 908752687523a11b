import type { Client } from '../client';
import { LANE } from '../layout';
import { Random } from '../random';
import { fromCells, type Cell } from '../row';
import { COLUMN_LIST, marks } from '../statements';
import { Actor } from './actor';
import type { Run } from './run';
import { judge, withView } from './snapshot';

/**
 * A transaction whose view is opened by another table, and which comes to the table itself much later: perhaps when
 * it has been swapped for one whose past is not the table's past. Equal, or error 1412, but never something else.
 */
export function startPairedReader(run: Run, number: number): Actor {
  const { options, layout, ledger, tally, stopper, statements } = run;
  const { tables } = statements;
  const random = Random.stream(options.seed, 2000 + number);
  const hot = layout.hot(LANE.paired);

  const choose = (): { where: string; values: Cell[]; ids: number[] } => {
    if (random.chance(0.5)) return { where: `id IN (${marks(hot)})`, values: hot, ids: hot };
    const from = 1 + random.int(Math.max(1, layout.span - 200));
    return {
      where: 'id BETWEEN ? AND ?',
      values: [from, from + 199],
      ids: [...ledger.idsBetween(from, from + 199)],
    };
  };

  const turn = async (client: Client): Promise<void> => {
    const { where, values, ids } = choose();
    await withView(run, async (watch) => {
      await client.run('START TRANSACTION');
      const pairs = await client.rows(`SELECT id, version FROM ${tables.pair} WHERE ${where}`, values);
      await stopper.sleep(random.between(0, options.holdMs));
      const rows = await client.rows(`SELECT ${COLUMN_LIST} FROM ${tables.ledger} WHERE ${where}`, values);
      await client.run('COMMIT');
      const partners = new Map(pairs.map(([id, version]) => [Number(id), Number(version)]));
      judge(run, { category: 'reader', by: 'paired read' }, ids, rows.map(fromCells), partners, watch);
      tally.reads.paired += 1;
      tally.reads.pairedRows += rows.length;
    });
    await stopper.sleep(random.between(0, options.restMs ?? options.holdMs / 4));
  };
  return new Actor(run, { name: `paired reader ${number}`, isolation: 'REPEATABLE READ' }, turn);
}
