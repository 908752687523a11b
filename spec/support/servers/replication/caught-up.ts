import { setTimeout as sleep } from 'node:timers/promises';

import { select, withClient } from '../client';
import type { RunningServer } from '../types';
import { dialectOf } from './dialect';
import { binlogEnd, lastErrors, stopped } from './status';

/** See {@link ReplicatedPair.caughtUp}. */
export async function caughtUp(
  primary: RunningServer,
  replica: RunningServer,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const dialect = dialectOf(replica);
  const end = await withClient(primary.connection, (client) => binlogEnd(client, dialectOf(primary)));
  await withClient(replica.connection, async (client) => {
    for (;;) {
      // In short slices: the wait does not end by itself if only the thread that fetches has stopped. And in whole
      // seconds: MariaDB takes a fraction for 0, which means for ever.
      const [row] = await select(client, dialect.wait, [end.file, end.position, 1]);
      if (row?.['waited'] !== null && Number(row?.['waited']) >= 0) {
        return;
      }
      const why = await stopped(client, dialect);
      if (why !== undefined) {
        throw new Error(`The ${replica.flavor} replica does not go on: ${why}`);
      }
      if (Date.now() >= deadline) {
        const errors = await lastErrors(client, dialect);
        throw new Error(
          `The ${replica.flavor} replica has not reached ${end.file}:${end.position} in ${timeoutMs} ms${errors}`,
        );
      }
      await sleep(20);
    }
  });
}
