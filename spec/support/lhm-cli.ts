import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..', '..');

/** Nothing here takes so long; one that hangs must not hang the specs. */
const TIMEOUT_MS = 120_000;

export interface LhmResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The `lhm` command of the built package, as it runs. */
export class Lhm {
  stdout = '';
  stderr = '';
  readonly end: Promise<LhmResult>;
  private readonly child;

  /** @param terminal gives it a terminal of its own, by `script` of every Debian */
  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = '', terminal = false) {
    const words = [process.execPath, join(ROOT, 'dist/cli/lhm.js'), ...args];
    const [command, ...rest] = terminal ? ['script', '-qec', words.join(' '), '/dev/null'] : words;
    this.child = spawn(command!, rest, {
      cwd: ROOT,
      env: { ...process.env, NODE_ENV: undefined, NODE_OPTIONS: undefined, LHM_URL: undefined, ...env },
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    this.child.stdin.on('error', () => undefined);
    this.child.stdin.end(input);
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.end = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Nobody reads any more what it prints, as behind `| head -1`. */
  leave(): void {
    this.child.stdout.destroy();
    this.child.stderr.destroy();
  }

  /** What everybody on the machine can read of it. */
  commandLine(): string {
    return readFileSync(`/proc/${this.pid}/cmdline`, 'utf8');
  }
}

/** Runs the command to its end. */
export function lhm(args: readonly string[], env?: NodeJS.ProcessEnv, input?: string): Promise<LhmResult> {
  return new Lhm(args, env, input).end;
}
