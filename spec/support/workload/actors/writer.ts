import type { Client } from '../client';
import { compare } from '../compare';
import { classify, Mismatch } from '../errors';
import { executePlan } from '../execute-plan';
import { LANE, Layout, MOVE_BY } from '../layout';
import { Desk, nextPlan } from '../operations';
import { touchedIds, type Plan } from '../plan';
import { Random } from '../random';
import { fromCells } from '../row';
import { COLUMN_LIST, marks } from '../statements';
import { Actor } from './actor';
import type { Run } from './run';

/** The application's busiest client: one transaction of any kind after the other, on rows whose state it knows. */
export function startWriter(run: Run, writer: number): Actor {
  const { options, layout, ledger, statements } = run;
  const random = Random.stream(options.seed, writer);
  const desk = new Desk(writer, options.key, random, layout, ledger, statements);
  const levels = ['READ COMMITTED', 'REPEATABLE READ'] as const;
  const isolation = options.isolation === 'mixed' ? levels[writer % 2 === 0 ? 0 : 1] : options.isolation;
  let followUp: (() => Plan | null) | undefined;

  const turn = async (client: Client): Promise<void> => {
    const plan = followUp?.() ?? nextPlan(desk, random);
    const slow = random.chance(0.25);
    const pause = async (): Promise<void> => {
      // Mostly short, now and then long: the square of a number below 1.
      if (slow && random.chance(0.6)) await run.stopper.sleep(2 + 78 * random.next() ** 2);
    };
    try {
      await executePlan(plan, { client, ledger, tally: run.tally, pause });
      followUp = plan.followUp;
    } catch (error) {
      // After a deadlock the same step is tried again. Rows that answer wrongly are left to the final comparison.
      if (error instanceof Mismatch || classify(error) === 'unexpected') ledger.retire(plan.rows.keys());
      throw error;
    }
    if (random.chance(0.2)) await readBack(run, client, plan);
    if (options.pace > 0) await run.stopper.sleep(options.pace * random.between(0, 2));
  };
  return new Actor(run, { name: `writer ${writer}`, isolation, prepared: writer % 3 === 2 }, turn);
}

/** A client must see its own acknowledged write at once. Nobody else may have changed these rows since. */
async function readBack(run: Run, client: Client, plan: Plan): Promise<void> {
  const ids = touchedIds(plan).filter((id) => !isCounter(id));
  if (ids.length === 0) return;
  const sql = `SELECT ${COLUMN_LIST} FROM ${run.statements.tables.ledger} WHERE id IN (${marks(ids)})`;
  const rows = (await client.rows(sql, ids)).map(fromCells);
  run.tally.reads.writer += 1;
  for (const { category, id, detail } of compare(run.ledger, ids, rows, () => false)) {
    run.tally.finding('reader', 'own write', id, `${category}: ${detail}`);
  }
}

function isCounter(id: number): boolean {
  return id < MOVE_BY && Layout.laneOf(id) === LANE.counter;
}
