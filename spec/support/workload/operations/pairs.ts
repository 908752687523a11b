import { LANE } from '../layout';
import { transaction, type Plan } from '../plan';
import type { Desk } from './desk';

/** A row and its partner in the other table get the same version in one transaction, in either order. */
export function pair(desk: Desk): Plan | null {
  const row = desk.present(LANE.paired);
  if (row === null) return null;
  const patch = { pair_version: row.pair_version + 1, ...desk.content() };
  const here = desk.sql.update(row.id, patch);
  const there = desk.sql.updatePair(row.id, patch.pair_version);
  const steps = desk.random.chance(0.5) ? [here, there] : [there, here];
  return transaction('pair', steps, [[row.id, { ...row, ...patch }]]);
}

/** Its view is opened by the other table, and may be older than the swap by the time the row is read. */
export function readPairFirst(desk: Desk): Plan | null {
  const row = desk.present(LANE.paired);
  if (row === null) return null;
  const patch = { pair_version: row.pair_version + 1, ...desk.content() };
  const steps = [
    desk.sql.readPair(row.id, row.pair_version),
    desk.sql.read(row),
    desk.sql.update(row.id, patch),
    desk.sql.updatePair(row.id, patch.pair_version),
  ];
  return transaction('readPairFirst', steps, [[row.id, { ...row, ...patch }]]);
}
