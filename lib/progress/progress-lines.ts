import { formatLine } from './format';
import type { ProgressTracker } from './progress-tracker';
import type { Reporter } from './reporter';
import { clock } from '../util/clock';

/** Milliseconds between two lines of the same phase. */
const INTERVAL_MS = 10_000;

/** Plain lines for a log: one at each change of phase, and one every ten seconds. */
export function createLines(tracker: ProgressTracker, stream: NodeJS.WritableStream): Reporter {
  let phase = '';
  let last = 0;
  tracker.listen((snapshot) => {
    const now = clock.monotonic();
    if (snapshot.phase === phase && now - last < INTERVAL_MS) return;
    phase = snapshot.phase;
    last = now;
    stream.write(`${formatLine(snapshot)}\n`);
  });
  return { stop: () => undefined };
}
