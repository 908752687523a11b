import type { CutOverDeps } from '../cut-over/cut-over-deps';
import type { LockedStep } from '../cut-over/locked-step';
import type { ServerCapabilities } from '../database/server-capabilities';
import { KeysStep } from '../foreign-keys/keys-step';
import { changesKeys, type KeyPlan } from '../schema/key-plan';
import type { StateTable } from '../state/state-table';

export interface LockedStepsInput extends Pick<CutOverDeps, 'pair' | 'work' | 'observer' | 'options'> {
  readonly keys: KeyPlan;
  readonly state: StateTable;
  readonly server: ServerCapabilities;
}

/** Everything that changes hands together with this table, in the order in which it is done under the lock. */
export function lockedSteps(input: LockedStepsInput): readonly LockedStep[] {
  const { keys, server, options } = input;
  const sentry = options.cutOver.strategy === 'sentry' || !server.renameUnderLock;
  return changesKeys(keys) ? [new KeysStep({ ...input, lockStays: !sentry })] : [];
}
