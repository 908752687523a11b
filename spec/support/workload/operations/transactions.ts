import { contentOf } from '../content';
import { transaction, type Plan, type Step } from '../plan';
import type { Desk } from './desk';
import { newRow, numberedByServer, ownedRow } from './owned';

/** A statement without values, between the others. */
function bare(sql: string, id: number): Step {
  return { sql, values: [], affected: null, id };
}

/** Changes that are taken back must leave no trace: no row, no resurrected row, no new value. */
function undoneSteps(desk: Desk): Step[] {
  const changed = ownedRow(desk);
  const added = newRow(desk);
  const gone = ownedRow(desk);
  const steps: Step[] = [];
  if (changed !== null) steps.push(desk.sql.update(changed.id, desk.content()));
  if (added !== null) steps.push(desk.sql.insert(added));
  if (gone !== null) steps.push(desk.sql.remove([gone.id]));
  // It has no place in the ledger: only the id is used up.
  if (desk.random.chance(0.5)) steps.push(numberedByServer(desk, () => undefined));
  // A counter that others raise as well: their increments must survive this rollback.
  steps.push(desk.sql.increment([desk.layout.counter(desk.random)]));
  return steps;
}

export function rollback(desk: Desk): Plan {
  return transaction('rollback', undoneSteps(desk), [], { end: 'rollback' });
}

/** Only the part behind the savepoint is taken back, even where it changed the same rows. */
export function savepoint(desk: Desk): Plan | null {
  const [a, b] = [ownedRow(desk), ownedRow(desk)];
  if (a === null || b === null || a.id === b.id) return null;
  const first = { ...a, ...desk.content() };
  const last = { ...b, ...desk.content() };
  const steps = [
    desk.sql.update(first.id, contentOf(first)),
    bare('SAVEPOINT half_way', first.id),
    ...undoneSteps(desk),
    bare('ROLLBACK TO SAVEPOINT half_way', first.id),
    desk.sql.update(last.id, contentOf(last)),
  ];
  return transaction('savepoint', steps, [
    [first.id, first],
    [last.id, last],
  ]);
}

/** The application computes the new value from what it read: a stale read becomes a wrong row. */
export function readModifyWrite(desk: Desk): Plan | null {
  const row = ownedRow(desk);
  if (row === null) return null;
  const patch = { v: row.v + 1, ...desk.content() };
  const steps = [desk.sql.read(row, desk.random.chance(0.7)), desk.sql.update(row.id, patch)];
  return transaction('readModifyWrite', steps, [[row.id, { ...row, ...patch }]]);
}
