import { LANE, Layout } from '../layout';
import { transaction, type Plan } from '../plan';
import type { Desk } from './desk';
import { rowAt } from './owned';
import { twoHolders, holder } from './slots';

/** REPLACE of one row with the unique value of another one deletes both. The other returns in the next transaction. */
export function replaceBySlot(desk: Desk): Plan | null {
  const two = twoHolders(desk);
  if (two === null) return null;
  const [a, b] = two;
  const next = { ...a, ...desk.content(), slot: b.slot };
  const comeBack = (): Plan | null => {
    if (!desk.ledger.usable(b.id)) return null;
    const row = { ...b, ...desk.content(), slot: a.slot };
    return transaction('insertBySlot', [desk.sql.insert(row)], [[b.id, row]], { end: 'autocommit' });
  };
  return transaction(
    'replaceBySlot',
    [desk.sql.replace(next)],
    [
      [a.id, next],
      [b.id, null],
    ],
    { end: desk.random.chance(0.5) ? 'autocommit' : 'commit', followUp: comeBack },
  );
}

/** The offered row has a new id, but its unique value belongs to another row: that one is changed. */
export function upsertBySlot(desk: Desk): Plan | null {
  const row = holder(desk);
  if (row === null) return null;
  const id = Layout.id(LANE.gap, Math.floor(row.id / 10));
  if (desk.ledger.expected(id) !== null || !desk.ledger.usable(id)) return null;
  const patch = desk.content();
  const offered = { ...rowAt(desk, id), slot: row.slot };
  return transaction('upsertBySlot', [desk.sql.upsert(offered, patch)], [[row.id, { ...row, ...patch }]], {
    end: desk.random.chance(0.5) ? 'autocommit' : 'commit',
  });
}
