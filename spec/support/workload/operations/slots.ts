import { contentOf } from '../content';
import { LANE } from '../layout';
import { transaction, type Plan } from '../plan';
import type { Row } from '../row';
import type { Desk } from './desk';

/** A row that holds a unique value. */
export type Holder = Row & { readonly slot: number };

export function holder(desk: Desk): Holder | null {
  const row = desk.present(desk.random.chance(0.5) ? LANE.slotA : LANE.slotB);
  return row !== null && row.slot !== null ? { ...row, slot: row.slot } : null;
}

/** Two of the writer's holders, anywhere in the key: often one below the copy's position and one above. */
export function twoHolders(desk: Desk): [Holder, Holder] | null {
  const a = holder(desk);
  const b = holder(desk);
  return a === null || b === null || a.id === b.id ? null : [a, b];
}

/** By way of a value that nobody else has, or of none, within one transaction. */
export function swapSlots(desk: Desk): Plan | null {
  const two = twoHolders(desk);
  if (two === null) return null;
  const [a, b] = two;
  const aside = desk.random.chance(0.5) ? null : -a.slot;
  const nextA = { ...a, ...desk.content(), slot: b.slot };
  const nextB = { ...b, ...desk.content(), slot: a.slot };
  const steps = [
    desk.sql.update(a.id, { slot: aside }),
    desk.sql.update(b.id, { slot: nextB.slot, ...contentOf(nextB) }),
    desk.sql.update(a.id, { slot: nextA.slot, ...contentOf(nextA) }),
  ];
  return transaction('swapSlots', steps, [
    [a.id, nextA],
    [b.id, nextB],
  ]);
}

/** Three transactions: A gives up its value; B takes it and so gives up its own; A takes that. */
export function releaseSlot(desk: Desk): Plan | null {
  const two = twoHolders(desk);
  if (two === null) return null;
  const [a, b] = two;
  return setSlot(desk, 'releaseSlot', a.id, null, () =>
    setSlot(desk, 'takeSlot', b.id, a.slot, () => setSlot(desk, 'takeSlot', a.id, b.slot)),
  );
}

function setSlot(
  desk: Desk,
  kind: 'releaseSlot' | 'takeSlot',
  id: number,
  slot: number | null,
  followUp?: () => Plan | null,
): Plan | null {
  const row = desk.ledger.expected(id);
  if (row === null || !desk.ledger.usable(id)) return null;
  const patch = { slot, ...desk.content() };
  return transaction(kind, [desk.sql.update(id, patch)], [[id, { ...row, ...patch }]], {
    end: desk.random.chance(0.5) ? 'autocommit' : 'commit',
    ...(followUp && { followUp }),
  });
}
