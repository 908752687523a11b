import { LANE, MOVE_BY } from '../layout';
import { transaction, type Plan } from '../plan';
import { bucketOf, codeOf, type Row } from '../row';
import type { Desk } from './desk';

/** Where the row with this home is now. */
function whereabouts(desk: Desk, home: number): Row | null {
  const id = desk.ledger.expected(home) === null ? home + MOVE_BY : home;
  return desk.ledger.usable(id) && desk.ledger.usable(home) ? desk.ledger.expected(id) : null;
}

/** The id changes by a billion, there or back, and so does the place in every other key. */
export function move(desk: Desk): Plan | null {
  const row = whereabouts(desk, desk.layout.own(LANE.moving, desk.writer, desk.random));
  if (row === null) return null;
  const by = row.id > MOVE_BY ? -MOVE_BY : MOVE_BY;
  const id = row.id + by;
  const patch = {
    bucket: bucketOf(id),
    code: codeOf(id),
    ...(desk.random.chance(0.5) ? desk.content() : {}),
  };
  const end = desk.random.chance(0.5) ? 'autocommit' : 'commit';
  const after = new Map<number, Row | null>([
    [row.id, null],
    [id, { ...row, ...patch, id }],
  ]);
  return transaction(by > 0 ? 'moveAway' : 'moveBack', [desk.sql.move([row.id], by, patch)], after, { end });
}

/** Away and home again in one transaction: in the end the row is where it was, but it was gone in between. */
export function moveThereAndBack(desk: Desk): Plan | null {
  const row = whereabouts(desk, desk.layout.own(LANE.moving, desk.writer, desk.random));
  if (row === null) return null;
  const by = row.id > MOVE_BY ? -MOVE_BY : MOVE_BY;
  const patch = desk.content();
  const steps = [
    desk.sql.move([row.id], by, {}),
    desk.sql.update(row.id + by, patch),
    desk.sql.move([row.id + by], -by, {}),
  ];
  return transaction('moveThereAndBack', steps, [[row.id, { ...row, ...patch }]]);
}

/** Several rows in one statement; all but their ids stays. */
export function moveMany(desk: Desk): Plan | null {
  const rows = new Map<number, Row>();
  for (let i = 0; i < 3; i++) {
    const row = whereabouts(desk, desk.layout.own(LANE.moving, desk.writer, desk.random));
    if (row !== null) rows.set(row.id, row);
  }
  const homes = [...rows.values()].filter((row) => row.id < MOVE_BY);
  const group = homes.length > 1 ? homes : [...rows.values()].filter((row) => row.id > MOVE_BY);
  if (group.length < 2) return null;
  const by = group === homes ? MOVE_BY : -MOVE_BY;
  const ids = group.map((row) => row.id);
  const after = new Map<number, Row | null>(ids.map((id) => [id, null]));
  for (const row of group) after.set(row.id + by, { ...row, id: row.id + by });
  return transaction('moveMany', [desk.sql.move(ids, by, {})], after, { end: 'autocommit' });
}
