import { AUTO_FROM, LANE } from '../layout';
import { transaction, type Plan, type WriteStep } from '../plan';
import { bucketOf, codeOf, type Row } from '../row';
import { partOf } from '../content';
import type { Desk } from './desk';

/** One of the writer's own ids: within the key, in a gap of it, or at its end. */
function pickId(desk: Desk): number {
  if (desk.autoIds.length > 0 && desk.random.chance(0.2)) return desk.random.pick(desk.autoIds);
  return desk.layout.own(desk.random.pick(LANE.owned), desk.writer, desk.random);
}

export function ownedRow(desk: Desk): Row | null {
  return pick(desk, (id) => desk.ledger.expected(id));
}

/** A row that is not there now, ready to be inserted. */
export function newRow(desk: Desk): Row | null {
  return pick(desk, (id) => (desk.ledger.expected(id) === null ? rowAt(desk, id) : null));
}

function pick(desk: Desk, choose: (id: number) => Row | null): Row | null {
  for (let i = 0; i < 8; i++) {
    const id = pickId(desk);
    const row = desk.ledger.usable(id) ? choose(id) : null;
    if (row !== null) return row;
  }
  return null;
}

/** A row with everything new but its id. */
export function rowAt(desk: Desk, id: number): Row {
  return { id, bucket: bucketOf(id), code: codeOf(id), v: 0, slot: null, pair_version: 0, ...desk.content() };
}

function single(desk: Desk): 'autocommit' | 'commit' {
  return desk.random.chance(0.5) ? 'autocommit' : 'commit';
}

export function insert(desk: Desk): Plan | null {
  const row = newRow(desk);
  return row && transaction('insert', [desk.sql.insert(row)], [[row.id, row]], { end: single(desk) });
}

/**
 * The server chooses the id; it must never choose one again. Always an explicit transaction: others must be told of the
 * id before the row can be seen.
 */
export function insertAuto(desk: Desk): Plan {
  const rows = new Map<number, Row | null>();
  const step = numberedByServer(desk, (row) => rows.set(row.id, row));
  const onAcknowledged = (): void => {
    desk.autoIds.push(...rows.keys());
    if (desk.autoIds.length > 200) desk.autoIds.shift();
  };
  // Often the highest id of all is one that is gone again: a new table's counter cannot be guessed from its rows.
  const followUp = (): Plan | null => removeThese(desk, [...rows.keys()]);
  const soonGone = desk.random.chance(0.4) && { followUp };
  return { ...transaction('insertAuto', [step], [], { onAcknowledged, ...soonGone }), rows };
}

/** Without AUTO_INCREMENT the application numbers the rows itself. */
export function numberedByServer(desk: Desk, onRow: (row: Row) => void): WriteStep {
  const serial = desk.serial();
  const row = {
    ...rowAt(desk, AUTO_FROM + desk.writer * 10_000_000 + serial),
    code: `auto-${desk.writer}-${serial}`,
  };
  if (desk.key !== 'unique-varchar') return desk.sql.insertAuto(row, (id) => onRow({ ...row, id }));
  onRow(row);
  return desk.sql.insert(row);
}

export function update(desk: Desk): Plan | null {
  const row = ownedRow(desk);
  if (row === null) return null;
  const content = desk.content();
  const steps = [desk.sql.update(row.id, content)];
  return transaction('update', steps, [[row.id, { ...row, ...content }]], { end: single(desk) });
}

/** Only some columns. */
export function updatePart(desk: Desk): Plan | null {
  const row = ownedRow(desk);
  if (row === null) return null;
  const { version, ...content } = desk.content();
  const patch = { version, ...partOf(desk.random, content) };
  const steps = [desk.sql.update(row.id, patch)];
  return transaction('updatePart', steps, [[row.id, { ...row, ...patch }]], { end: single(desk) });
}

/** Several rows in one statement. */
export function updateMany(desk: Desk): Plan | null {
  const rows = new Map<number, Row>();
  for (let i = 0; i < 8; i++) {
    const row = ownedRow(desk);
    if (row !== null) rows.set(row.id, row);
  }
  if (rows.size < 2) return null;
  const patch = desk.content();
  const after = [...rows].map(([id, row]) => [id, { ...row, ...patch }] as const);
  return transaction('updateMany', [desk.sql.updateMany([...rows.keys()], patch)], after, {
    end: single(desk),
  });
}

export function remove(desk: Desk): Plan | null {
  const row = ownedRow(desk);
  return row && removeThese(desk, [row.id]);
}

function removeThese(desk: Desk, ids: readonly number[]): Plan | null {
  if (!ids.every((id) => desk.ledger.usable(id))) return null;
  const gone = ids.map((id) => [id, null] as const);
  return transaction('delete', [desk.sql.remove(ids)], gone, { end: single(desk) });
}

/** The same id is deleted and inserted in one transaction. */
export function deleteInsert(desk: Desk): Plan | null {
  const row = ownedRow(desk);
  if (row === null) return null;
  const next = { ...row, ...desk.content() };
  return transaction('deleteInsert', [desk.sql.remove([row.id]), desk.sql.insert(next)], [[row.id, next]]);
}

/** Whether the row is there or not. */
export function replace(desk: Desk): Plan | null {
  const row = desk.random.chance(0.7) ? ownedRow(desk) : newRow(desk);
  if (row === null) return null;
  const next = { ...row, ...desk.content() };
  return transaction('replace', [desk.sql.replace(next)], [[row.id, next]], { end: single(desk) });
}

export function upsert(desk: Desk): Plan | null {
  const patch = desk.content();
  const old = desk.random.chance(0.7) ? ownedRow(desk) : null;
  const offered = old ?? newRow(desk);
  if (offered === null) return null;
  const next = old === null ? offered : { ...old, ...patch };
  return transaction('upsert', [desk.sql.upsert(offered, patch)], [[next.id, next]], { end: single(desk) });
}
