import { ask, NobodyThere, type Reply, type Request } from '../control/client';
import { mayBeOf, socketPaths } from '../control/socket-path';
import { messageOf } from '../database/server-error';
import type { ProgressSnapshot } from '../progress/progress';
import { BadInput, DoesNotAnswer } from './exit-codes';

/** A migration that runs on this machine, under this account. */
export interface Running {
  readonly path: string;
  readonly now: ProgressSnapshot;
  /** All of it, in words. */
  readonly text: string;
}

/** Somebody listens where a migration would, and does not say how it stands: it may be busy, or be something else. */
export interface Silent {
  readonly path: string;
  readonly why: string;
}

export interface Found {
  readonly running: readonly Running[];
  readonly silent: readonly Silent[];
}

/** All whose process is there. @param table `schema.table`, or the table alone; all where it is left out */
export async function find(table: string | undefined): Promise<Found> {
  const looked = await Promise.all((await socketPaths()).map((path) => look(path, 'status')));
  const running = looked.filter((one): one is Running => one !== null && 'now' in one);
  const silent = looked.filter((one): one is Silent => one !== null && 'why' in one);
  if (table === undefined) return { running, silent };
  // The whole name counts first: a table's own name may have dots in it, too.
  const exactly = running.filter(({ now }) => now.table === table);
  return {
    running: exactly.length > 0 ? exactly : running.filter(({ now }) => now.table.endsWith(`.${table}`)),
    silent: silent.filter(({ path }) => mayBeOf(path, table)),
  };
}

/** How the one behind a socket stands; null when its process is gone. @param command `status`, or `sup` for less of it */
export async function look(path: string, command: 'status' | 'sup'): Promise<Running | Silent | null> {
  try {
    const { ok, text, data } = await ask({ path }, { command });
    if (!ok) return { path, why: `it refuses to: ${text}` };
    return isSnapshot(data)
      ? { path, now: { ...WAS_NOT_THERE, ...data }, text }
      : { path, why: 'what it sends is no answer' };
  } catch (error) {
    return error instanceof NobodyThere ? null : { path, why: messageOf(error) };
  }
}

export function describeSilent({ path, why }: Silent): string {
  return `${path}: there is a process that does not say how it stands (${why})`;
}

/** @throws BadInput when there is none, or it is not clear which is meant; DoesNotAnswer when it is there and does not */
export async function findOne(table: string | undefined): Promise<Running> {
  const { running, silent } = await find(table);
  const [only] = running;
  if (only === undefined && silent.length > 0)
    throw new DoesNotAnswer(silent.map((one) => `${describeSilent(one)}.`).join('\n'));
  if (only === undefined) throw nobody(table);
  if (running.length > 1)
    throw new BadInput(`Say which one is meant: ${running.map(({ now }) => now.table).join(', ')}.`);
  if (table === undefined && silent.length > 0)
    throw new BadInput(
      [
        `Say which one is meant: ${only.now.table}, or one that does not answer.`,
        ...silent.map(describeSilent),
      ].join('\n'),
    );
  return only;
}

/** As `findOne`, but takes also one that does not answer. */
export async function findAnyOne(table: string | undefined): Promise<Running | Silent> {
  const { running, silent } = await find(table);
  const [only] = silent;
  if (running.length === 0 && silent.length === 1 && only !== undefined) return only;
  return findOne(table);
}

/** @throws BadInput when it is refused or has ended; DoesNotAnswer when it may or may not have been heard */
export async function tellRunning({ path, now }: Running, request: Request): Promise<Reply> {
  const reply = await ask({ path }, request).catch((error: unknown) => {
    if (error instanceof NobodyThere)
      throw new BadInput(`The migration of ${now.table} has ended meanwhile.`);
    throw new DoesNotAnswer(
      `The migration of ${now.table} does not answer (${messageOf(error)}): it may have heard it, or not.`,
    );
  });
  if (!reply.ok) throw new BadInput(reply.text);
  return reply;
}

export function nobody(table: string | undefined): BadInput {
  const of = table === undefined ? '' : ` of ${table}`;
  return new BadInput(`No migration${of} is running here under this account.`);
}

/** A process may have loaded the library when it had less to say. */
const WAS_NOT_THERE = { hook: null, postponed: null, throttled: null, waitingFor: null };

const NUMBERS = ['elapsedMs', 'rowsCopied', 'rowsEstimated', 'rowsPerSecond', 'changesApplied', 'backlog'];

function isSnapshot(data: unknown): data is ProgressSnapshot {
  const said = (data ?? {}) as Readonly<Record<string, unknown>>;
  return (
    typeof said['table'] === 'string' &&
    typeof said['phase'] === 'string' &&
    NUMBERS.every((name) => typeof said[name] === 'number')
  );
}
