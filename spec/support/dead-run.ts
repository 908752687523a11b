import type { Knex } from 'knex';
import type { Connection } from 'mysql2';

import type { LargeHadronError } from '../../lib';
import type { Options, TestTable } from './test-table';
import { intercept } from './test-table-statements';
import { migrationConnections, until } from './test-table-process-list';
import { ADD_COLUMN } from './test-table-refusal';

/**
 * Leaves what a run leaves whose machine is lost: all its connections end at once, and it never gets a new one.
 *
 * @param at a hook, or the statement before which it happens
 * @returns what the run itself could still say
 */
export async function leaveDeadRun(
  test: TestTable,
  at: 'beforeRowCopy' | 'beforeCutOver' | 'afterCutOver' | RegExp = 'beforeCutOver',
  options: Options = {},
): Promise<LargeHadronError> {
  const knex = test.makeKnex();
  const line = cuttable(knex);
  const cut = async (): Promise<void> => {
    line.cut = true;
    for (const { Id } of await migrationConnections(test)) await test.query(`KILL ${Id}`);
    await until('the end of the connections', async () =>
      (await migrationConnections(test)).length === 0 ? true : undefined,
    );
  };
  if (at instanceof RegExp) intercept(knex, { match: at, when: 'before', run: cut });
  const hooks = at instanceof RegExp ? {} : { [at]: cut };
  return test.failure(ADD_COLUMN, { ...options, knex, hooks });
}

/** Connections are refused, as by a machine that is gone, once `cut` is set. */
function cuttable(knex: Knex): { cut: boolean } {
  const client = knex.client as { driver: { createConnection(options: object): Connection } };
  const { driver } = client;
  const line = { cut: false };
  // Nobody listens on port 1.
  const nowhere = { host: '127.0.0.1', port: 1, socketPath: undefined };
  client.driver = {
    ...driver,
    createConnection: (options: object) =>
      driver.createConnection(line.cut ? { ...options, ...nowhere } : options),
  };
  return line;
}
