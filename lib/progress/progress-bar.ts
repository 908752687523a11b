import { SingleBar } from 'cli-progress';
import { formatCopied, formatCount, formatDuration, formatWaiting } from './format';
import type { ProgressSnapshot } from './progress';
import type { ProgressTracker } from './progress-tracker';
import type { Reporter } from './reporter';

/** A bar on a terminal: phase, rows, speed, time left, backlog, and why nothing moves. */
export function createBar(tracker: ProgressTracker, stream: NodeJS.WriteStream): Reporter {
  const bar = new SingleBar({
    format: '{table} {phase} [{bar}] {percentage}% | {rows} | {details}',
    barsize: 24,
    hideCursor: true,
    stream,
    fps: 10,
    clearOnComplete: false,
    // The migration catches the signals itself, to stop cleanly.
    gracefulExit: false,
  });
  bar.start(100, 0, payload(tracker.snapshot()));
  tracker.listen((snapshot) => bar.update(share(snapshot), payload(snapshot)));
  return {
    stop: () => {
      bar.update(share(tracker.snapshot()), payload(tracker.snapshot()));
      bar.stop();
    },
  };
}

/** Copying and verifying are counted as they take time: about two thirds and a third. */
function share(p: ProgressSnapshot): number {
  const total = Math.max(1, p.rowsEstimated);
  switch (p.phase) {
    case 'copy':
      return Math.min(66, (p.rowsCopied / total) * 66);
    case 'catch-up':
      return 66;
    case 'verify':
      return 66 + Math.min(32, (p.rowsVerified / total) * 32);
    case 'postpone':
    case 'cut-over':
      return 99;
    case 'clean-up':
      return 100;
    default:
      return 0;
  }
}

function payload(p: ProgressSnapshot): Record<string, string> {
  const details = [];
  if (p.phase === 'copy' && p.rowsPerSecond > 0) details.push(`${formatCount(p.rowsPerSecond)} rows/s`);
  if (p.etaMs !== null) details.push(`${formatDuration(p.etaMs)} left`);
  details.push(`${formatCount(p.changesApplied)} changes applied, ${formatCount(p.backlog)} waiting`);
  details.push(...formatWaiting(p));
  const rows = p.phase === 'verify' ? `${formatCount(p.rowsVerified)} rows compared` : formatCopied(p);
  return { table: p.table, phase: p.phase, rows, details: details.join(', ') };
}
