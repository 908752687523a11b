import type { Client } from '../client';
import { classify } from '../errors';
import { transaction } from '../plan';
import { Actor } from './actor';
import type { Run } from './run';

const EVERY_MS = 5;

/** Touches a row of its own every 5 ms: how long one write took is how long the table stood still. */
export function startProbe(run: Run): Actor {
  const { layout, ledger, statements, tally, stopper } = run;
  const step = statements.increment([layout.probeId]);
  const increments = new Map([[layout.probeId, 1]]);

  const turn = async (client: Client): Promise<void> => {
    const plan = transaction('increment', [step], [], { increments, end: 'autocommit' });
    const from = performance.now();
    ledger.committing(plan);
    try {
      const { affectedRows } = await client.write(step.sql, step.values);
      if (affectedRows === 1) ledger.acknowledge(plan);
      else {
        ledger.forget(plan);
        tally.finding('lost', 'probe', layout.probeId, `${step.sql} found ${affectedRows} rows`);
      }
    } catch (error) {
      if (classify(error) === 'lost') ledger.doubt(plan);
      else ledger.forget(plan);
      throw error;
    } finally {
      tally.probed(performance.now() - from);
    }
    await stopper.sleep(EVERY_MS - (performance.now() - from));
  };
  return new Actor(run, { name: 'probe', isolation: 'READ COMMITTED' }, turn);
}
