import { Refusal } from '../errors';
import type { LiveSettings } from '../options/live-settings';
import type { ProgressSnapshot } from '../progress/progress';
import type { ProgressTracker } from '../progress/progress-tracker';
import type { Throttler } from '../throttle/throttler';
import type { CutOverGate } from './cut-over-gate';

/** What a person may do to a migration that runs; the only way in for whoever offers it, be it a socket or a page. */
export interface Operator {
  /** What may be changed meanwhile. */
  readonly settings: LiveSettings;
  /** Holds copy, replay and verification, until `continue`. Not the critical section of a swap. */
  pause(reason?: string): void;
  /** Ends `pause`; what else holds the migration goes on holding it. */
  continue(): void;
  status(): ProgressSnapshot;
  /** Lets the swap follow as soon as everything else allows it, whatever `cutOver.postponeUntil` or `postpone` said. */
  cutOverNow(): void;
  /** Holds the swap back, until `cutOverNow`; the new table is kept up to date meanwhile. */
  postpone(): void;
  /** Stops at once, as an abort signal does: the call rejects with LHM_PANIC, and the table is as it was. */
  panic(reason?: string): void;
}

export interface OperatorParts {
  readonly settings: LiveSettings;
  readonly throttler: Throttler;
  readonly gate: CutOverGate;
  readonly progress: ProgressTracker;
  /** Aborts the migration's signal. */
  readonly stop: (reason: Refusal) => void;
}

export function operate({ settings, throttler, gate, progress, stop }: OperatorParts): Operator {
  return {
    settings,
    pause: (reason = 'the operator') => throttler.pause(reason),
    continue: () => throttler.continue(),
    status: () => progress.snapshot(),
    cutOverNow: () => gate.open(),
    postpone: () => gate.close(),
    panic: (reason = 'no reason was given') =>
      stop(
        new Refusal(
          'LHM_PANIC',
          `The operator stopped the migration: ${reason}.`,
          'Run the migration again when it suits.',
        ),
      ),
  };
}
