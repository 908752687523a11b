import { messageOf } from '../database/server-error';
import { Refusal, type LargeHadronError } from '../errors';
import { debugLog } from '../events/debug-log';
import { clock } from '../util/clock';
import type { CommandHookContext, HookContext, HookOptions, RetryHookContext } from '../options/options';
import type { HookName } from './hook-names';
import { tellingHook, type TellHook } from './hook-wait';
import { runScripts, scriptFacts } from './hook-scripts';

const log = debugLog('migration');

/** How long a script may take where nothing is said, in ms. */
const SCRIPT_TIMEOUT_MS = 60_000;

/** Hooks that may stop the migration, and are told no more than how it stands. */
type PlainHook = Exclude<
  HookName,
  'onBatchCopyRetry' | 'onInteractiveCommand' | 'onStatus' | 'onSuccess' | 'onFailure'
>;

/** What they do is to be done also when the migration is stopped meanwhile. */
const UNSTOPPABLE: ReadonlySet<HookName> = new Set([
  'onStartReplication',
  'afterCutOver',
  'onSuccess',
  'onFailure',
]);

/** How long `onStatus` may go on after the migration: the process lives until its executable has ended. */
const STATUS_AFTER_MS = 2000;

/** Runs the caller's hooks, functions first and executables after them, each awaited. */
export class Hooks {
  private tellingStatus = false;
  /** Raised when nobody needs to know any more how it stands. */
  private readonly over = new AbortController();
  private readonly skipped = new Set<string>();

  constructor(
    private readonly options: HookOptions,
    private readonly context: () => HookContext,
    /** Stops the migration, for hooks that run beside it. */
    private readonly stop: (reason: Refusal) => void,
    private readonly warn: (message: string) => void = () => undefined,
    /** Raised when the migration is stopped: executables that could stop it are ended, functions no longer waited for. */
    private readonly signal: AbortSignal | null = null,
    /** Told of a hook that the migration waits for. */
    private readonly tellWaiting: TellHook = () => undefined,
  ) {}

  /** @throws what the signal was raised with; Refusal LHM_HOOK_FAILED when one throws or fails, by which it stops what was about to be done */
  run(name: PlainHook): Promise<void> {
    return this.waitFor(name, this.plain(name));
  }

  /** For what goes on beside the migration, which is stopped when one fails. Never rejects. */
  async runBeside(name: PlainHook): Promise<void> {
    await this.plain(name).catch((error: unknown) => this.stop(error as Refusal));
  }

  /** Shows that it is the hook that is waited for. */
  waitFor<T>(name: HookName, called: Promise<T>): Promise<T> {
    return tellingHook(name, this.tellWaiting, called);
  }

  /** @throws Refusal LHM_HOOK_FAILED when the command must not be run */
  async command(command: string, value: string | null): Promise<void> {
    const context = (): CommandHookContext => ({ ...this.context(), command, value });
    const said = value === null ? command : `${command}=${value}`;
    const name = 'onInteractiveCommand';
    await this.vetoable(
      name,
      this.call(name, () => this.options[name]?.(context()), { LHM_COMMAND: said }),
    );
  }

  /** @throws Refusal LHM_HOOK_FAILED when the chunk must not be copied again */
  async retry(attempt: number, error: unknown): Promise<void> {
    const context = (): RetryHookContext => ({ ...this.context(), attempt, error });
    const name = 'onBatchCopyRetry';
    const more = { LHM_ATTEMPT: String(attempt), LHM_ERROR: messageOf(error) };
    const called = this.call(name, () => this.options[name]?.(context()), more);
    await this.waitFor(name, this.vetoable(name, called));
  }

  /** What it throws is ignored. One that takes longer than the time between two calls is called less often. */
  async status(): Promise<void> {
    if (this.tellingStatus || this.over.signal.aborted) return;
    this.tellingStatus = true;
    await this.quietly(
      'onStatus',
      this.call('onStatus', () => this.options.onStatus?.(this.context())),
    );
    this.tellingStatus = false;
  }

  /** Ends what tells how the migration stands, when there is no migration any more. */
  end(): void {
    if (!this.tellingStatus) return;
    const timer = clock.setTimeout(
      () => this.over.abort(new Error('the migration is over')),
      STATUS_AFTER_MS,
    );
    // An executable keeps the process there until then; a function need not.
    timer.unref();
  }

  /** What it throws is ignored. */
  async success(): Promise<void> {
    const called = this.call('onSuccess', () => this.options.onSuccess?.(this.context()));
    await this.waitFor('onSuccess', this.quietly('onSuccess', called));
  }

  /** What it throws is ignored. */
  async failure(error: LargeHadronError): Promise<void> {
    const name = 'onFailure';
    const more = { LHM_ERROR: error.message, LHM_ERROR_CODE: error.code, LHM_OUTCOME: error.outcome };
    const called = this.call(name, () => this.options[name]?.(error, this.context()), more);
    await this.waitFor(name, this.quietly(name, called));
  }

  private plain(name: PlainHook): Promise<void> {
    return this.vetoable(
      name,
      this.call(name, () => this.options[name]?.(this.context())),
    );
  }

  private async vetoable(name: HookName, called: Promise<void>): Promise<void> {
    try {
      await called;
    } catch (cause) {
      if (this.signal?.aborted === true && cause === this.signal.reason) throw cause;
      throw new Refusal(
        'LHM_HOOK_FAILED',
        `The hook ${name} threw: ${messageOf(cause)}.`,
        name === 'afterCutOver'
          ? 'Do what the hook was to do.'
          : 'Mend what the hook found, or the hook, and run again.',
        { cause },
      );
    }
  }

  private async quietly(name: HookName, called: Promise<void>): Promise<void> {
    try {
      await called;
    } catch (error) {
      if (this.over.signal.aborted) return;
      log('the hook %s threw, which is ignored: %s', name, messageOf(error));
      this.warn(`The hook ${name} threw, which is ignored: ${messageOf(error)}.`);
    }
  }

  /** Once: somebody has forgotten it, or keeps it there on purpose. */
  private tellSkipped(path: string): void {
    if (this.skipped.has(path)) return;
    this.skipped.add(path);
    this.warn(`${path} is not run: it is not executable for this account (chmod +x makes it so).`);
  }

  /** The function, and then the executables, which are told `more` than how it stands. */
  private async call(
    name: HookName,
    call: () => unknown,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const signal = this.endOf(name);
    await unlessStopped(call, signal);
    const { directory, hint = '', scriptTimeoutMs: timeoutMs = SCRIPT_TIMEOUT_MS } = this.options;
    if (directory === undefined) return;
    const skipped = (path: string): void => this.tellSkipped(path);
    await runScripts(
      { directory, hint, timeoutMs, signal, skipped },
      name,
      scriptFacts(this.context(), more),
    );
  }

  /** What ends the hook before it ends itself. */
  private endOf(name: HookName): AbortSignal | undefined {
    if (name === 'onStatus') return this.over.signal;
    // It goes on beside the migration, and so beside its end as well when it was stopped.
    const stopped = name === 'onInteractiveCommand' && this.signal?.aborted === true;
    return UNSTOPPABLE.has(name) || stopped ? undefined : (this.signal ?? undefined);
  }
}

/** The function's end; rejects with the signal's reason when it is raised first: a function may never end. */
async function unlessStopped(call: () => unknown, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) {
    await call();
    return;
  }
  signal.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
    (async () => {
      await call();
    })()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop));
  });
}
