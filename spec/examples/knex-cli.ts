import { spawn } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

/** Nothing here takes so long, not even on a slow machine; one that hangs must not hang the specs. */
const TIMEOUT_MS = 150_000;

export interface CliOptions {
  /** Of the knexfile, from the root of the package. */
  readonly folder: string;
  /** Its name. Default `knexfile.ts`. */
  readonly knexfile?: string;
  readonly databaseUrl: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Sends the signal as soon as the marker is on stderr. */
  readonly interrupt?: { readonly marker: RegExp; readonly signal: NodeJS.Signals };
}

export interface CliResult {
  /** null if it was killed by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the signal was sent. */
  readonly interrupted: boolean;
}

/** Runs the `knex` command to its end, as a user would. */
export function knexCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const { folder, knexfile = 'knexfile.ts', databaseUrl, env, interrupt } = options;
  const program = join(ROOT, 'node_modules', '.bin', 'knex');
  const child = spawn(program, [...args, '--knexfile', join(ROOT, folder, knexfile)], {
    cwd: ROOT,
    env: {
      ...process.env,
      // With NODE_ENV=test the library would say nothing and hurry.
      NODE_ENV: undefined,
      NODE_OPTIONS: '--import tsx',
      DATABASE_URL: databaseUrl,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  const output = { stdout: '', stderr: '' };
  let interrupted = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
    if (interrupt === undefined || interrupted || !interrupt.marker.test(output.stderr)) return;
    interrupted = true;
    child.kill(interrupt.signal);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output, interrupted }));
  });
}
