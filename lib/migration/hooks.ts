import type { HookContext, HookOptions } from '../options/options';
import { Refusal } from '../errors';
import { messageOf } from '../database/server-error';

type AwaitedHook = 'beforeRowCopy' | 'afterRowCopy' | 'beforeCutOver' | 'afterCutOver';

/** Runs a hook that may stop the migration by throwing. */
export async function runHook(
  hooks: HookOptions,
  name: AwaitedHook,
  context: () => HookContext,
): Promise<void> {
  const hook = hooks[name];
  if (hook === undefined) return;
  try {
    await hook(context());
  } catch (cause) {
    throw new Refusal(
      'LHM_HOOK_FAILED',
      `The hook ${name} threw: ${messageOf(cause)}.`,
      name === 'afterCutOver'
        ? 'Do what the hook was to do.'
        : 'Mend what the hook found, or the hook, and run again.',
      { cause },
    );
  }
}

/** Runs a hook whose failure changes nothing. */
export async function runQuietHook(run: () => void | Promise<void>): Promise<void> {
  try {
    await run();
  } catch {
    // Documented: what these hooks throw is ignored.
  }
}
