import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { messageOf } from '../database/server-error';
import { withoutPasswords } from '../util/without-passwords';
import { clock } from '../util/clock';

/** Of what an executable prints, in characters: the last, which say why it ended. */
const MOST_OUTPUT = 2000;

/** How long the last of its output is waited for once it has ended, in ms: something it left behind may hold the pipe. */
const OUTPUT_WITHIN_MS = 200;

/**
 * Runs an executable, with nothing to read. What it has started itself is ended with it when it takes too long or is no longer
 * wanted.
 *
 * @throws Error with what it printed, when it cannot be run, ends with anything but 0 or takes too long; what the signal was
 *   raised with
 */
export async function runExecutable(
  path: string,
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const child = start(path, env);
  // At once: without open files left it has no pipes, and fails on its own.
  const end = ended(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr] as readonly (Readable | undefined)[])
    stream?.setEncoding('utf8').on('data', (part: string) => (said = (said + part).slice(-MOST_OUTPUT)));
  const state = { late: false };
  const timer = clock.setTimeout(() => {
    state.late = true;
    endGroup(child);
  }, timeoutMs);
  const unwanted = (): void => endGroup(child);
  signal?.addEventListener('abort', unwanted, { once: true });
  const why = await end;
  signal?.removeEventListener('abort', unwanted);
  clock.clearTimeout(timer);
  signal?.throwIfAborted();
  if (why === null && !state.late) return;
  const printed = withoutPasswords(said.trim());
  const reason = state.late ? `it took longer than ${timeoutMs} ms` : why;
  throw new Error(`${path}: ${reason}${printed === '' ? '' : `: ${printed}`}`);
}

/** Some of what can be wrong is thrown, and the rest told later. */
function start(path: string, env: NodeJS.ProcessEnv): ChildProcess {
  try {
    return spawn(path, { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (cause) {
    throw new Error(`${path}: ${messageOf(cause)}`, { cause });
  }
}

/** Why it failed; null when it did not. */
function ended(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => {
      const why = code === 0 ? null : code === null ? `it was ended by ${signal}` : `it ended with ${code}`;
      const grace = clock.setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, OUTPUT_WITHIN_MS);
      child.once('close', () => {
        clock.clearTimeout(grace);
        resolve(why);
      });
    });
  });
}

/** It leads a process group of its own. */
function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}
