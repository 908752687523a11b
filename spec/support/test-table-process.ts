import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import type { LargeHadronOptions, Phase } from '../../lib';
import type { TestTable } from './test-table';

/** What the child process is to do. */
export interface ChildOrder {
  readonly connection: object;
  readonly table: string;
  readonly alter: string;
  /** SQL that is run by somebody else when the migration is about to send a statement. */
  readonly writeAt?: { readonly statement: string; readonly sql: string };
  readonly options?: Omit<LargeHadronOptions, 'knex' | 'hooks' | 'progress' | 'signal'>;
  /** Where it stands still until it is killed; with `goOn` it only says that it is there. */
  readonly stop:
    | { readonly hook: 'beforeRowCopy' | 'afterRowCopy' | 'beforeCutOver' | 'afterCutOver' }
    | { readonly phase: Phase; readonly goOn?: boolean }
    | { readonly statement: string; readonly when: 'before' | 'after'; readonly skip?: number };
}

/** One line that the child process writes. */
export type ChildReport =
  | { readonly at: string }
  | { readonly done: true }
  | { readonly error: Readonly<Record<'code' | 'outcome' | 'phase' | 'message', string>> };

/** A migration in a process of its own, which can be killed. */
export class ChildMigration {
  private readonly reports: AsyncIterator<string>;
  private readonly exited: Promise<unknown[]>;
  private errors = '';

  private constructor(private readonly child: ChildProcess) {
    this.exited = once(child, 'exit');
    this.reports = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.errors += text));
  }

  static start(test: TestTable, order: Omit<ChildOrder, 'connection' | 'table'>): ChildMigration {
    const connection = { ...test.server.connection, database: test.database };
    const { mode = 'triggers' } = test.server;
    const options = { mode, ...order.options };
    const whole: ChildOrder = { connection, table: test.table, ...order, options };
    const script = join(__dirname, 'test-table-child.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(whole)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ChildMigration(child);
  }

  /** The next line it writes. */
  async report(): Promise<ChildReport> {
    const next = await this.reports.next();
    if (next.done === true) throw new Error(`the process ended without a word:\n${this.errors}`);
    return JSON.parse(next.value) as ChildReport;
  }

  /** Resolves when it stands at the place it was told; throws if it has ended before. */
  async reached(): Promise<void> {
    const report = await this.report();
    if (!('at' in report)) throw new Error(`it ended instead: ${JSON.stringify(report)}`);
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** How it ended: its exit code, or the signal that ended it. */
  async end(): Promise<number | NodeJS.Signals> {
    const [code, signal] = (await this.exited) as [number | null, NodeJS.Signals | null];
    return code ?? signal ?? -1;
  }

  /** SIGKILL; resolves when the process is gone. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }
}
