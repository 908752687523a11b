/** A process that migrates tables when it is told to, and can be killed at any time. */
import createKnex from 'knex';
import { largeHadronMigrate, LargeHadronError } from '../../lib';
import type { Order, Report } from './migrator';

const tell = (report: Report): void => void process.send?.(report);

let controller = new AbortController();

async function migrate({ connection, table, alter, options }: Order): Promise<void> {
  controller = new AbortController();
  const knex = createKnex({ client: 'mysql2', connection, pool: { min: 0, max: 1 } });
  let last = '';
  try {
    const { cutOver, changesApplied } = await largeHadronMigrate(
      table,
      {
        ...{ ...options, knex, signal: controller.signal },
        progress: ({ phase, waitingFor }) => {
          const now = `${phase} ${waitingFor ?? ''}`;
          if (now !== last) tell({ phase, waitingFor });
          last = now;
        },
      },
      alter,
    );
    tell({ done: { attempts: cutOver.attempts, stallMs: cutOver.stallMs, changesApplied } });
  } catch (error) {
    if (!(error instanceof LargeHadronError)) throw error;
    const { code, outcome, phase, message, leftovers } = error;
    tell({
      error: { code, outcome, phase, message, leftovers: leftovers.map(({ name, sql }) => ({ name, sql })) },
    });
  } finally {
    await knex.destroy();
  }
}

process.on('message', (message: Order | 'abort') => {
  if (message === 'abort') controller.abort();
  else void migrate(message);
});
// Whoever asked is gone.
process.on('disconnect', () => process.exit(0));
