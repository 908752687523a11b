import type { ProgressSnapshot } from '../progress/progress';
import { clock } from '../util/clock';

/** A hook that is over by then is not worth a word, in ms. */
const LONG_MS = 500;

/** How often it is told that it still is waited for, in ms: whoever shows lines or a bar shows the time. */
const AGAIN_MS = 1000;

export type TellHook = (hook: ProgressSnapshot['hook']) => void;

/** Tells that the migration waits for a hook, once that takes long, and when it does no longer. */
export async function tellingHook<T>(name: string, tell: TellHook, called: Promise<T>): Promise<T> {
  const hook = { name, since: clock.now() };
  const state = { told: false, timer: clock.setTimeout(() => tellIt(), LONG_MS) };
  const tellIt = (): void => {
    state.told = true;
    tell(hook);
    state.timer = clock.setTimeout(tellIt, AGAIN_MS);
    state.timer.unref();
  };
  state.timer.unref();
  try {
    return await called;
  } finally {
    clock.clearTimeout(state.timer);
    if (state.told) tell(null);
  }
}
