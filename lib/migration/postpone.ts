import { Refusal } from '../errors';
import { messageOf } from '../database/server-error';
import type { HookContext, PostponeUntil } from '../options/options';
import { clock } from '../util/clock';
import { fileExists } from '../util/file-exists';
import { hold } from './hold';
import { keepUp, type Parts } from './run-migration';

/** How long is waited for between two looks, in ms. An object, so that a spec can let hours pass in a minute. */
export const pace = {
  /** Until a function is asked again whether the swap may be made: at most half of what a release may take. */
  askMs: 500,
  /** Until it is looked again whether the flag file is there. */
  fileMs: 400,
  /** Until it is looked whether the operator has said something. */
  hearMs: 250,
  /** Until changes are applied again, when there were few. */
  restMs: 100,
};

/** Whom the operator's word is shown as. */
const OPERATOR = 'the operator, who postponed the swap';

/** How long changes are applied between two looks at an answer that is not there yet, in ms. */
const LOOK_EVERY_MS = 100;

/**
 * Holds the cut-over back for as long as `cutOver.postponeUntil` says so. Until then changes are applied and compared, so
 * that the new table is ready at any time.
 *
 * @throws Refusal LHM_HOOK_FAILED when the function throws
 */
export async function postpone(parts: Parts, context: () => HookContext): Promise<void> {
  const { progress, gate } = parts;
  if (untilOf(parts) === null && !gate.isClosed()) return;
  progress.enter('postpone');
  while (!gate.isOpen()) {
    await untilNotClosed(parts);
    const postponeUntil = untilOf(parts);
    const by = postponeUntil === null ? null : await answerOf(parts, postponeUntil, context);
    if (by === null) {
      if (gate.isClosed()) continue;
      break;
    }
    await heldBack(parts, by);
    await keepUpUnlessOpen(parts, typeof postponeUntil === 'string' ? pace.fileMs : pace.askMs);
  }
  progress.update({ waitingFor: null, postponed: null });
}

/** What the operator said last counts. */
function untilOf({ gate, options }: Parts): PostponeUntil | null {
  return gate.flagFile ?? options.cutOver.postponeUntil;
}

/** Before each attempt at the swap: whom it makes way for was asked just now, and the operator does not hold it back. */
export async function clearToSwap(parts: Parts): Promise<void> {
  const { throttler, progress } = parts;
  do {
    await untilReleased(parts);
    await throttler.refresh();
    await hold(parts);
  } while ((await operatorHolds(parts)) !== null || throttler.reason() !== null);
  progress.update({ postponed: null });
}

/** By what the operator holds the swap back, in words; null when by nothing. What was said last counts. */
async function operatorHolds(parts: Parts): Promise<string | null> {
  const { gate } = parts;
  const { flagFile } = gate;
  const byFile = flagFile === null || gate.isOpen() ? null : await heldByFile(flagFile);
  // Something else may have been said meanwhile.
  if (gate.isClosed()) return OPERATOR;
  if (gate.isOpen()) return null;
  if (gate.flagFile !== flagFile) return operatorHolds(parts);
  return byFile;
}

async function untilReleased(parts: Parts): Promise<void> {
  let by = await operatorHolds(parts);
  if (by === null) return;
  for (; by !== null; by = await operatorHolds(parts)) {
    await heldBack(parts, by);
    await keepUp(parts, LOOK_EVERY_MS);
  }
  parts.progress.update({ waitingFor: null });
}

async function untilNotClosed(parts: Parts): Promise<void> {
  const { gate, progress } = parts;
  if (!gate.isClosed()) return;
  while (gate.isClosed()) {
    await heldBack(parts, OPERATOR);
    await keepUp(parts, LOOK_EVERY_MS);
  }
  progress.update({ waitingFor: null });
}

/** The operator need not wait for the next question. */
async function keepUpUnlessOpen(parts: Parts, ms: number): Promise<void> {
  const until = clock.monotonic() + ms;
  for (let left = ms; left > 0 && !parts.gate.isOpen(); left = until - clock.monotonic())
    await keepUp(parts, Math.min(left, pace.hearMs), pace.restMs);
}

/**
 * By what the swap is held back, in words; null when it is released. However long the answer takes, the new table is kept up
 * to date meanwhile; the operator need not wait for it.
 */
async function answerOf(
  parts: Parts,
  until: PostponeUntil,
  context: () => HookContext,
): Promise<string | null> {
  const asked = { over: false };
  const answer = ask(until, context).finally(() => (asked.over = true));
  answer.catch(() => undefined);
  const isOver = (): boolean => asked.over;
  await Promise.race([answer.catch(() => undefined), clock.sleep(LOOK_EVERY_MS)]);
  while (!isOver()) {
    if (parts.gate.isOpen()) return null;
    await heldBack(parts, reason(until));
    await keepUp(parts, LOOK_EVERY_MS);
  }
  return answer;
}

async function ask(until: PostponeUntil, context: () => HookContext): Promise<string | null> {
  if (typeof until === 'string') return heldByFile(until);
  try {
    const answer: unknown = await until(context());
    if (typeof answer === 'boolean') return answer ? null : reason(until);
    throw new TypeError(`it returned ${String(answer)}, and not true or false`);
  } catch (cause) {
    throw new Refusal(
      'LHM_HOOK_FAILED',
      `The function cutOver.postponeUntil failed: ${messageOf(cause)}.`,
      'Nothing was swapped. Mend what cutOver.postponeUntil asks, and run again.',
      { cause },
    );
  }
}

/** A file that cannot be looked for may be there; and what was copied is not given up because of it. */
async function heldByFile(file: string): Promise<string | null> {
  try {
    return (await fileExists(file)) ? reason(file) : null;
  } catch (error) {
    return `the file '${file}' (cutOver.postponeUntil), which cannot be looked for: ${messageOf(error)}`;
  }
}

/**
 * Since when is kept when somebody else goes on holding it back.
 *
 * @throws Refusal LHM_HOOK_FAILED when onBeginPostponed throws
 */
async function heldBack({ progress, hooks }: Parts, by: string): Promise<void> {
  const since = progress.snapshot().postponed?.since ?? null;
  progress.update({ waitingFor: by, postponed: Object.freeze({ by, since: since ?? clock.now() }) });
  if (since === null) await hooks.run('onBeginPostponed');
}

function reason(until: PostponeUntil): string {
  return typeof until === 'string'
    ? `the end of the file '${until}' (cutOver.postponeUntil)`
    : 'cutOver.postponeUntil to return true';
}
