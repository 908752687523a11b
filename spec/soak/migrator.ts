import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LargeHadronOptions, Outcome, Phase } from '../../lib';

export interface Order {
  readonly connection: object;
  readonly table: string;
  readonly alter: string;
  readonly options: Omit<LargeHadronOptions, 'knex' | 'hooks' | 'progress' | 'signal'>;
}

export interface Failure {
  readonly code: string;
  readonly outcome: Outcome;
  readonly phase: Phase;
  readonly message: string;
  readonly leftovers: readonly { readonly name: string; readonly sql: string }[];
}

export type Report =
  | { readonly phase: Phase; readonly waitingFor: string | null }
  | {
      readonly done: { readonly attempts: number; readonly stallMs: number; readonly changesApplied: number };
    }
  | { readonly error: Failure };

/** How a run ended. `gone`: with its process. `late`: it has not, within the time given. */
export type End =
  | { readonly how: 'done' }
  | { readonly how: 'failed'; readonly failure: Failure }
  | { readonly how: 'gone'; readonly words: string }
  | { readonly how: 'late'; readonly words: string };

/** Lines of the debug log that are kept. */
const KEPT = 60;

/** A process that runs one migration after the other, until it is killed. */
export class Migrator {
  private lines: string[] = [];
  private last = 'nothing yet';

  private constructor(private readonly child: ChildProcess) {
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.lines = [...this.lines, ...text.trimEnd().split('\n')].slice(-KEPT);
    });
  }

  static start(): Migrator {
    return new Migrator(
      fork(join(__dirname, 'migrator-child.ts'), {
        execArgv: ['--import', 'tsx'],
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
        env: { ...process.env, DEBUG: 'lhm:*,-lhm:sql', DEBUG_HIDE_DATE: '' },
      }),
    );
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves in any case, after `limitMs` at the latest. */
  async run(order: Order, limitMs: number, onPhase: (phase: Phase) => void): Promise<End> {
    const { child } = this;
    let timer: NodeJS.Timeout | undefined;
    let phase = '';
    const end = await new Promise<End>((resolve) => {
      const onMessage = (report: Report): void => {
        if ('done' in report) resolve({ how: 'done' });
        else if ('error' in report) resolve({ how: 'failed', failure: report.error });
        else {
          this.last = `${report.phase}${report.waitingFor === null ? '' : `, waiting for ${report.waitingFor}`}`;
          if (report.phase !== phase) onPhase(report.phase);
          phase = report.phase;
        }
      };
      child.on('message', onMessage);
      child.once('exit', () => resolve({ how: 'gone', words: this.words }));
      timer = setTimeout(() => resolve({ how: 'late', words: this.words }), limitMs);
      child.send(order, (error) => {
        if (error !== null) resolve({ how: 'gone', words: String(error) });
      });
    });
    clearTimeout(timer);
    child.removeAllListeners('message');
    child.removeAllListeners('exit');
    return end;
  }

  abort(): void {
    if (this.alive && this.child.connected) this.child.send('abort');
  }

  async kill(): Promise<void> {
    if (!this.alive) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await gone;
  }

  /** Where it was last, and what it said. */
  private get words(): string {
    return [`last heard of in: ${this.last}`, ...this.lines].join('\n    ');
  }
}
