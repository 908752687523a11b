import type { Plan } from '../plan';
import type { Random } from '../random';
import { increment, incrementMany, incrementPair } from './counters';
import type { Desk } from './desk';
import { move, moveMany, moveThereAndBack } from './moves';
import * as owned from './owned';
import { pair, readPairFirst } from './pairs';
import { replaceBySlot, upsertBySlot } from './slot-takeovers';
import { releaseSlot, swapSlots } from './slots';
import { readModifyWrite, rollback, savepoint } from './transactions';

/** Every kind of transaction that is acknowledged by itself. A run that counts none of a kind did not test it. */
export const OPERATION_KINDS = [
  'increment',
  'incrementPair',
  'incrementMany',
  'insert',
  'insertAuto',
  'update',
  'updatePart',
  'updateMany',
  'delete',
  'deleteInsert',
  'replace',
  'upsert',
  'rollback',
  'savepoint',
  'readModifyWrite',
  'pair',
  'readPairFirst',
  'moveAway',
  'moveBack',
  'moveThereAndBack',
  'moveMany',
  'swapSlots',
  'releaseSlot',
  'takeSlot',
  'replaceBySlot',
  'insertBySlot',
  'upsertBySlot',
] as const;

export type OperationKind = (typeof OPERATION_KINDS)[number];

/** Plans a transaction; `null` if the rows at hand do not allow it just now. */
type Operation = (desk: Desk) => Plan | null;

const MIX: readonly (readonly [Operation, weight: number])[] = [
  [increment, 16],
  [incrementPair, 6],
  [incrementMany, 4],
  [owned.insert, 6],
  [owned.insertAuto, 6],
  [owned.update, 8],
  [owned.updatePart, 4],
  [owned.updateMany, 2],
  [owned.remove, 6],
  [owned.deleteInsert, 4],
  [owned.replace, 4],
  [owned.upsert, 4],
  [rollback, 3],
  [savepoint, 3],
  [readModifyWrite, 4],
  [pair, 12],
  [readPairFirst, 3],
  [move, 6],
  [moveThereAndBack, 2],
  [moveMany, 2],
  [swapSlots, 5],
  [releaseSlot, 3],
  [replaceBySlot, 2],
  [upsertBySlot, 2],
];

const LOTS: readonly Operation[] = MIX.flatMap(([operation, weight]) =>
  Array<Operation>(weight).fill(operation),
);

export function nextPlan(desk: Desk, random: Random): Plan {
  for (;;) {
    const plan = random.pick(LOTS)(desk);
    if (plan !== null) return plan;
  }
}

export { Desk } from './desk';
