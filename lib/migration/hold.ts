import type { LiveSettings } from '../options/live-settings';
import { clock } from '../util/clock';
import { pause } from '../util/pause';
import type { Parts } from './run-migration';

/** How often the last verdicts are looked at while the migration holds, in ms. */
const HOLD_MS = 200;

/** How often it is looked meanwhile whether the migration is still ours and its tables are as they were, in ms. */
const LOOK_EVERY_MS = 1000;

/** What rests are decided by. */
export interface Restraint {
  readonly settings: LiveSettings;
}

/** Waits for as long as the throttle says. Nothing is written meanwhile: only what the application changed is captured. */
export async function hold(parts: Parts): Promise<void> {
  const { throttler, progress, signal } = parts;
  let reason = throttler.reason();
  if (reason === null) return;
  let looked = clock.monotonic();
  while (reason !== null) {
    progress.update({ throttled: reason, waitingFor: reason });
    if (clock.monotonic() - looked >= LOOK_EVERY_MS) {
      await look(parts);
      looked = clock.monotonic();
    }
    await pause(HOLD_MS, signal);
    reason = throttler.reason();
  }
  progress.update({ throttled: null, waitingFor: null });
}

async function look({ recovery, lock, guard, source, observer, progress }: Parts): Promise<void> {
  await recovery.steadily(async () => {
    await lock.check();
    await guard.check(observer);
    progress.update({ backlog: await source.backlog(observer, 10_000) });
  });
}

/** How long to rest after a step of the copy that took `tookMs`, in ms. */
export function restAfterChunk({ settings }: Restraint, tookMs: number): number {
  return settings.chunk.pauseMs + restAfterStep({ settings }, tookMs);
}

/** How long to rest after any other step that took `tookMs`, in ms. */
export function restAfterStep({ settings }: Restraint, tookMs: number): number {
  return settings.throttle.niceRatio * tookMs;
}
