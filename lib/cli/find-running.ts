import { ask, type Reply, type Request } from '../control/client';
import { socketPaths } from '../control/socket-path';
import type { ProgressSnapshot } from '../progress/progress';
import { BadInput } from './exit-codes';

/** A migration that runs on this machine, under this account. */
export interface Running {
  readonly path: string;
  readonly now: ProgressSnapshot;
  /** All of it, in words. */
  readonly text: string;
}

/** All that answer. */
export async function findRunning(): Promise<Running[]> {
  const asked = (await socketPaths()).map(async (path): Promise<Running[]> => {
    // One whose process is gone does not answer.
    const reply = await ask({ path }, { command: 'status' }).catch(() => null);
    return reply?.ok === true ? [{ path, now: reply.data as ProgressSnapshot, text: reply.text }] : [];
  });
  return (await Promise.all(asked)).flat();
}

/** Those of a table: `schema.table`, or the table alone. */
export function ofTable(running: readonly Running[], table: string | undefined): Running[] {
  return running.filter(
    ({ now }) => table === undefined || now.table === table || now.table.endsWith(`.${table}`),
  );
}

/** @throws BadInput when there is none, or it is not clear which is meant */
export async function findOne(table: string | undefined): Promise<Running> {
  const found = ofTable(await findRunning(), table);
  const [only] = found;
  if (only === undefined)
    throw new BadInput(
      `No migration${table === undefined ? '' : ` of ${table}`} is running here under this account.`,
    );
  if (found.length > 1)
    throw new BadInput(`Say which one is meant: ${found.map(({ now }) => now.table).join(', ')}.`);
  return only;
}

/** @throws BadInput when it is refused */
export async function tellRunning({ path }: Running, request: Request): Promise<Reply> {
  const reply = await ask({ path }, request);
  if (!reply.ok) throw new BadInput(reply.text);
  return reply;
}
