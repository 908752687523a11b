import { access } from 'node:fs/promises';
import { Refusal } from '../errors';
import { clock } from '../util/clock';

/** Turns of the event loop within which all that is due has happened: many times more than it takes. */
const TURNS = 1000;

/**
 * Refuses to wait for ever where a test runner's fake timers reach the library: the driver answers by `process.nextTick`,
 * and a library that was loaded after timers were replaced at their source has none of its own.
 *
 * @throws Refusal LHM_FAKE_TIMERS
 */
export async function refuseFakeTimers(): Promise<void> {
  const happened = { tick: false, timeout: false };
  process.nextTick(() => (happened.tick = true));
  clock.setTimeout(() => (happened.timeout = true), 0);
  for (let turn = 0; turn < TURNS && !(happened.tick && happened.timeout); turn++) {
    // Files are read whatever becomes of the timers.
    await access('.').catch(() => undefined);
  }
  if (!happened.tick) throw stopped('process.nextTick is', "jest.useFakeTimers({ doNotFake: ['nextTick'] })");
  if (!happened.timeout) throw stopped('setTimeout was already', 'by importing the library before');
}

function stopped(what: string, way: string): Refusal {
  return new Refusal(
    'LHM_FAKE_TIMERS',
    `${what} replaced by fake timers, under which the migration would wait for ever.`,
    `Leave it real: ${way}. Other fake timers are no hindrance.`,
  );
}
