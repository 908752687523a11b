import { Refusal } from '../errors';

/** Listening ends with `dispose`. */
export interface StopSignals {
  readonly signal: AbortSignal;
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * One signal for every reason to stop: the caller's own, SIGINT and SIGTERM. The first stops the migration cleanly,
 * so that it throws and Knex releases its migration lock; at the second the process ends as it would have.
 */
export function stopSignals(callers: AbortSignal | undefined, handleSignals: boolean): StopSignals {
  const controller = new AbortController();
  const stop = (by: string): void =>
    controller.abort(
      new Refusal(
        'LHM_INTERRUPTED',
        `The migration was stopped by ${by}.`,
        'The table is as it was. Run the migration again when it suits.',
      ),
    );
  const onAbort = (): void => stop('its AbortSignal');
  const handlers = SIGNALS.map((name) => [name, () => onSignal(name)] as const);
  const dispose = (): void => {
    callers?.removeEventListener('abort', onAbort);
    for (const [name, handler] of handlers) process.removeListener(name, handler);
  };
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      dispose();
      process.kill(process.pid, name);
      return;
    }
    stop(name);
  };
  if (callers?.aborted) onAbort();
  else callers?.addEventListener('abort', onAbort, { once: true });
  if (handleSignals) for (const [name, handler] of handlers) process.on(name, handler);
  return { signal: controller.signal, dispose };
}
