import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs';

import { childEnvironment } from '../run';

const live = new Set<ChildProcess>();

// The watchdog would do it a moment later; this way the server is gone when we are.
process.on('exit', () => {
  for (const child of live) {
    child.kill('SIGKILL');
  }
});

/** One run of the server program. */
export class ServerProcess {
  private readonly child: ChildProcess;
  private readonly logStart: number;
  private failure = '';
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;

  constructor(
    [program, ...leading]: readonly [string, ...string[]],
    args: readonly string[],
    private readonly logFile: string,
  ) {
    this.logStart = existsSync(logFile) ? statSync(logFile).size : 0;
    const output = openSync(logFile, 'a');
    // Detached: the terminal's Ctrl-C is for us, and the server goes when we are done.
    this.child = spawn(program, [...leading, ...args], {
      detached: true,
      stdio: ['ignore', output, output],
      env: childEnvironment(),
      cwd: '/',
    });
    closeSync(output);
    live.add(this.child);
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        live.delete(this.child);
        resolve();
      };
      this.child.once('exit', end);
      this.child.once('error', (error) => {
        this.failure = `\n${error.message}`;
        end();
      });
    });
    this.child.unref();
  }

  get pid(): number | undefined {
    return live.has(this.child) ? this.child.pid : undefined;
  }

  /** Sends the signal and waits; an end that takes too long is made by SIGKILL. */
  async end(signal: 'SIGTERM' | 'SIGKILL', timeoutMs = 60_000): Promise<void> {
    const timer = setTimeout(() => this.child.kill('SIGKILL'), timeoutMs);
    // Somebody waits for it now, so the event loop must as well.
    this.child.ref();
    this.child.kill(signal);
    await this.ended;
    clearTimeout(timer);
  }

  /** The last lines that the server wrote since this start. */
  lastWords(lines = 40): string {
    const log = existsSync(this.logFile) ? readFileSync(this.logFile).subarray(this.logStart).toString() : '';
    return log.trimEnd().split('\n').slice(-lines).join('\n') + this.failure;
  }
}
