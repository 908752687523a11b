import { performance } from 'node:perf_hooks';
import timers from 'node:timers';
import promises from 'node:timers/promises';
import { runInNewContext } from 'node:vm';

/** Taken when the library is loaded: the modules' own properties may be replaced later, too. */
const { setTimeout, clearTimeout, setInterval, clearInterval } = timers;

/**
 * Time as it is. Test suites replace the global timers and the clock by fake ones that stand still (Jest, sinon,
 * node:test), under which a pause would never end and two originals would be kept under the same name. The only place
 * in the library that may ask for time.
 */
export const clock = {
  setTimeout,
  clearTimeout,
  setInterval,
  clearInterval,
  setImmediate: promises.setImmediate,
  /** Milliseconds since some moment: for measuring. */
  monotonic: performance.now.bind(performance),
  /** Milliseconds since 1970. Jest's fake Date may be there before the library is, so the global one is not asked. */
  now: runInNewContext('Date.now') as () => number,
  /** Waits, whatever happens meanwhile. */
  sleep: (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms)),
} as const;
