import type { ProgressOption } from '../options/options';
import { createBar } from './progress-bar';
import { createLines } from './progress-lines';
import { canDraw, outliveReader } from './shown-on';
import type { ProgressTracker } from './progress-tracker';

/** Something that shows progress; `stop` gives the terminal back. */
export interface Reporter {
  stop(): void;
}

/** A bar where a person watches, plain lines in a log, a function, or nothing. */
export function startReporter(
  option: ProgressOption,
  tracker: ProgressTracker,
  stream: NodeJS.WriteStream,
): Reporter {
  if (typeof option === 'function') {
    tracker.listen(option);
    return { stop: () => undefined };
  }
  if (option === 'none') return { stop: () => undefined };
  const end = outliveReader(stream);
  const bar = option === 'bar' || (option === 'auto' && canDraw(stream));
  const reporter = bar ? createBar(tracker, stream) : createLines(tracker, stream);
  return {
    stop: () => {
      reporter.stop();
      end();
    },
  };
}
