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
  /** Why the swap can no longer be stopped, held back or hastened: the tables are swapped, or the migration ends; null while it can. */
  settled(): Settled | null;
  /** Holds the swap back, until `cutOverNow`; the new table is kept up to date meanwhile. */
  postpone(): void;
  /** Holds the swap back for as long as there is a file of this name, whatever `cutOver.postponeUntil` said. */
  postponeWhile(path: string): void;
  /** The flag file that holds the swap back, or would; null where there is none. */
  postponedWhile(): string | null;
  /** How far the binary log has been read; null where it is not read. */
  coordinates(): string | null;
  /** The server that is migrated, in words. */
  server(): string;
  /** Stops at once, as an abort signal does: the call rejects with LHM_PANIC, and the table is as it was. Nothing once that is settled. */
  panic(reason?: string): void;
}

/** What became of the migration. */
export interface Settled {
  readonly as: 'swapped' | 'ending';
  /** In words. */
  readonly why: string;
}

export interface OperatorParts {
  readonly settings: LiveSettings;
  readonly throttler: Throttler;
  readonly gate: CutOverGate;
  readonly progress: ProgressTracker;
  /** The flag file of the options. */
  readonly flagFile: string | null;
  readonly server: string;
  readonly coordinates: () => string | null;
  readonly settled: () => Settled | null;
  /** Aborts the migration's signal. */
  readonly stop: (reason: Refusal) => void;
}

export function operate(parts: OperatorParts): Operator {
  const { settings, throttler, gate, progress, stop } = parts;
  return {
    settings,
    pause: (reason = 'the operator') => throttler.pause(reason),
    continue: () => throttler.continue(),
    status: () => progress.snapshot(),
    cutOverNow: () => gate.open(),
    postpone: () => gate.close(),
    postponeWhile: (path) => gate.closeWhile(path),
    postponedWhile: () => gate.flagFile ?? parts.flagFile,
    coordinates: parts.coordinates,
    server: () => parts.server,
    settled: parts.settled,
    panic: (reason = 'no reason was given') => {
      if (parts.settled() === null)
        stop(
          new Refusal(
            'LHM_PANIC',
            `The operator stopped the migration: ${reason}.`,
            'Run the migration again when it suits.',
          ),
        );
    },
  };
}
