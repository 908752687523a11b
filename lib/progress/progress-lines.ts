import { formatLine } from './format';
import type { ProgressTracker } from './progress-tracker';
import type { Reporter } from './reporter';
import { clock } from '../util/clock';

/** Milliseconds between two lines of the same phase. */
const INTERVAL_MS = 10_000;

/** Milliseconds until a line, whatever the phase, when the migration begins or ceases to make way. */
const THROTTLED_MS = 2000;

/** Plain lines for a log: one at each change of phase, and one every ten seconds. */
export function createLines(tracker: ProgressTracker, stream: NodeJS.WritableStream): Reporter {
  let phase = '';
  let last = 0;
  let throttled = false;
  tracker.listen((snapshot) => {
    const now = clock.monotonic();
    const turned = (snapshot.throttled !== null) !== throttled;
    if (snapshot.phase === phase && now - last < (turned ? THROTTLED_MS : INTERVAL_MS)) return;
    phase = snapshot.phase;
    throttled = snapshot.throttled !== null;
    last = now;
    stream.write(`${formatLine(snapshot)}\n`);
  });
  return { stop: () => undefined };
}
