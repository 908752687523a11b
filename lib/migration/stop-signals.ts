import { setMaxListeners } from 'node:events';
import { Refusal } from '../errors';

/** Listening ends with `dispose`. */
export interface StopSignals {
  readonly signal: AbortSignal;
  /** Stops the migration for the reason given, unless it is being stopped already. */
  stop(reason: Refusal): void;
  dispose(): void;
}

/** Each command of each client waits for it while its hook runs; Node warns of more than ten where nothing is said. */
const MOST_LISTENERS = 100;

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** The terminal is gone. Node ends by it even under `nohup`, and the triggers would be left. */
const HANG_UP = 'SIGHUP';

type Stop = (by: string) => void;

/** What is to be stopped: one listener serves all migrations of the process, however many run at once. */
const running = new Set<Stop>();

let caught = false;

/**
 * One signal for every reason to stop: the caller's own, SIGINT, SIGTERM and SIGHUP. The first stops the migration
 * cleanly, so that it throws and Knex releases its migration lock; at the second SIGINT or SIGTERM the process ends as it
 * would have.
 */
export function stopSignals(callers: AbortSignal | undefined, handleSignals: boolean): StopSignals {
  const controller = new AbortController();
  setMaxListeners(MOST_LISTENERS, controller.signal);
  const stop: Stop = (by) =>
    controller.abort(
      new Refusal(
        'LHM_INTERRUPTED',
        `The migration was stopped by ${by}.`,
        'Run the migration again when it suits.',
      ),
    );
  const onAbort = (): void => stop('its AbortSignal');
  if (callers?.aborted) onAbort();
  else if (callers !== undefined) follow(callers, onAbort);
  if (handleSignals) listen(stop);
  return {
    signal: controller.signal,
    stop: (reason) => controller.abort(reason),
    dispose: () => {
      if (callers !== undefined) unfollow(callers, onAbort);
      forget(stop);
    },
  };
}

/** One listener serves all migrations that share a signal, too: Node warns of more than ten. */
const followers = new WeakMap<AbortSignal, Set<() => void>>();

function follow(signal: AbortSignal, onAbort: () => void): void {
  const all = followers.get(signal) ?? new Set();
  if (all.size === 0) signal.addEventListener('abort', tellFollowers);
  followers.set(signal, all.add(onAbort));
}

function unfollow(signal: AbortSignal, onAbort: () => void): void {
  const all = followers.get(signal);
  if (all?.delete(onAbort) === true && all.size === 0) signal.removeEventListener('abort', tellFollowers);
}

function tellFollowers(this: AbortSignal): void {
  for (const onAbort of followers.get(this) ?? []) onAbort();
}

function listen(stop: Stop): void {
  if (running.size === 0) {
    for (const name of SIGNALS) process.on(name, onSignal);
    process.on(HANG_UP, onHangUp);
  }
  running.add(stop);
}

function forget(stop: Stop): void {
  if (!running.delete(stop) || running.size > 0) return;
  caught = false;
  for (const name of SIGNALS) process.removeListener(name, onSignal);
  process.removeListener(HANG_UP, onHangUp);
}

function onSignal(name: NodeJS.Signals): void {
  const again = caught;
  caught = true;
  for (const stop of [...running]) {
    if (again) forget(stop);
    else stop(name);
  }
  if (again) process.kill(process.pid, name);
}

/** Never ends the process: where a terminal is closed, the shell and the system both send one. */
function onHangUp(): void {
  // An application that listens means something else by it, as to read its configuration anew.
  if (process.listenerCount(HANG_UP) > 1) return;
  for (const stop of [...running]) stop(HANG_UP);
}
