/**
 * A process of its own that migrates a table: `node --import tsx test-table-child.ts <order as JSON>`. It writes one
 * line when it has come to the place it was told to stop at, and one with the outcome when the migration has ended.
 */
import { writeSync } from 'node:fs';
import createKnex from 'knex';

import { largeHadronMigrate, LargeHadronError, type HookOptions } from '../../lib';
import type { ChildOrder, ChildReport } from './test-table-process';
import { intercept } from './test-table-statements';

const order = JSON.parse(process.argv[2] ?? '{}') as ChildOrder;

void main();

async function main(): Promise<void> {
  const knex = createKnex({ client: 'mysql2', connection: order.connection, pool: { min: 0, max: 1 } });
  const { stop, writeAt } = order;
  if (writeAt !== undefined) {
    const run = (): Promise<void> => knex.raw(writeAt.sql).then(() => undefined);
    intercept(knex, { match: new RegExp(writeAt.statement, 's'), when: 'before', run });
  }
  if ('statement' in stop) {
    const match = new RegExp(stop.statement, 's');
    intercept(knex, { match, when: stop.when, skip: stop.skip ?? 0, run: stopHere });
  }
  const hooks: HookOptions = 'hook' in stop ? { [stop.hook]: stopHere } : {};
  let told = false;
  try {
    await largeHadronMigrate(
      order.table,
      {
        knex,
        preset: 'fixture',
        giveUpAfterMs: false,
        ...order.options,
        hooks,
        progress: ({ phase, rowsCopied }) => {
          if (told || !('phase' in stop) || phase !== stop.phase) return;
          if (phase === 'copy' && rowsCopied === 0) return;
          told = true;
          if (stop.goOn === true) tell({ at: phase });
          else void stopHere();
        },
      },
      order.alter,
    );
    tell({ done: true });
  } catch (error) {
    if (!(error instanceof LargeHadronError)) throw error;
    const { code, outcome, phase, message } = error;
    tell({ error: { code, outcome, phase, message } });
    process.exitCode = 1;
  } finally {
    await knex.destroy();
  }
}

/** Says so and stands still: the whole process, so that nothing more of it reaches the server. */
function stopHere(): Promise<never> {
  tell({ at: 'the place' });
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error('not reached');
}

function tell(report: ChildReport): void {
  writeSync(1, `${JSON.stringify(report)}\n`);
}
