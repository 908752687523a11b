import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import type { Message } from './messages';
import type { Stopped } from './stop-signal';

const EXAMPLE = dirname(__dirname);

/** What a user would type. */
export function commandLine(command: readonly string[]): string {
  return `NODE_OPTIONS="--import tsx" npx knex ${command.join(' ')} --knexfile migrations-example/knexfile.ts`;
}

/**
 * Runs the knex CLI on the example, with its output on our terminal. It has a process group of its own, so that a
 * Ctrl-C reaches it once, from here, and not from the terminal as well: a second one would end it at once.
 *
 * @returns its exit code; null if it was killed
 */
export function knexCli(
  command: readonly string[],
  databaseUrl: string,
  stop: AbortSignal,
  onMessage: (message: Message) => void,
): Promise<number | null> {
  const options = ['--import', 'tsx', '--require', join(__dirname, 'record-results.cjs')];
  const child = spawn(process.execPath, [...options, require.resolve('knex/bin/cli.js'), ...command], {
    cwd: EXAMPLE,
    // With NODE_ENV=test the library would treat the table as a fixture.
    env: { ...process.env, NODE_ENV: undefined, DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
  const kill = (): void => void child.kill('SIGKILL');
  // As a terminal would.
  const end = (): void => void child.kill((stop.reason as Stopped).by);
  process.once('exit', kill);
  stop.addEventListener('abort', end, { once: true });
  child.on('message', (message) => onMessage(message as Message));
  return new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  }).finally(() => {
    process.removeListener('exit', kill);
    stop.removeEventListener('abort', end);
  });
}
