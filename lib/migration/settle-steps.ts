import { dropHelperKey, HELPER_KEY, type HelperKeyNote } from '../cut-over/helper-key';
import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import type { KeyNote } from '../foreign-keys/key-note';
import { FOREIGN_KEYS } from '../foreign-keys/keys-step';
import { restoreAfter, restoreBefore } from '../foreign-keys/restore-keys';
import { writtenWithoutParent } from '../foreign-keys/written-without-parent';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import { readRecord } from '../state/state-table';
import { settleTriggers } from '../table-triggers/settle-triggers';
import { TRIGGERS_STEP } from '../table-triggers/table-trigger';

/** Where a step that was broken off is put right. */
export interface SettleInput {
  readonly session: Session;
  readonly name: TableName;
  readonly names: DerivedNames;
  readonly swapped: boolean;
  readonly bound: BoundedLock;
}

/** Puts right what a step had begun, from its note alone: finishes it after the swap, takes it back otherwise. */
type Settler = (input: SettleInput, note: unknown) => Promise<readonly string[]>;

/** By the names of the steps, in the order in which they are finished. */
const SETTLERS: readonly (readonly [step: string, settle: Settler])[] = [
  [HELPER_KEY, settleHelperKey],
  [
    TRIGGERS_STEP,
    ({ session, name, names, swapped, bound }, note) =>
      settleTriggers(session, { ...name, old: names.old }, swapped, bound, note).then(() => []),
  ],
  [FOREIGN_KEYS, ({ session, swapped, bound }, note) => settleKeys(session, note as KeyNote, swapped, bound)],
];

async function settleKeys(
  session: Session,
  note: KeyNote,
  swapped: boolean,
  bound: BoundedLock,
): Promise<readonly string[]> {
  if (swapped) {
    await restoreAfter(session, note, bound);
    return [];
  }
  // What was not changed by us others may have changed since.
  if (note.begun) await restoreBefore(session, note, bound, false);
  return writtenWithoutParent(session, note);
}

/** On a ghost that was not swapped it goes with the ghost. */
async function settleHelperKey(
  { session, name, swapped, bound }: SettleInput,
  note: unknown,
): Promise<string[]> {
  if (!swapped) return [];
  const { index } = note as HelperKeyNote;
  await withBoundedLock(session, bound, () => dropHelperKey(session, name, index));
  return [];
}

/**
 * After a run that broke off in its cut-over, or was killed there: what changed hands together with the table is
 * finished where the tables were swapped, and taken back where they were not. Before the ghost is dropped.
 *
 * @returns what a person has to look at, in sentences
 */
export async function settleSteps(
  session: Session,
  name: TableName,
  names: DerivedNames,
  swapped: boolean,
  bound: BoundedLock,
): Promise<string[]> {
  const found: string[] = [];
  const notes = (await readRecord(session, name.schema, names.state))?.steps ?? {};
  const order = swapped ? SETTLERS : [...SETTLERS].reverse();
  for (const [step, settle] of order) {
    if (step in notes) found.push(...(await settle({ session, name, names, swapped, bound }, notes[step])));
  }
  return found;
}
