import { transaction, type Plan } from '../plan';
import type { Desk } from './desk';

/** Commutative, so that all writers may share the rows: the acknowledged count is the final value. */
export function increment(desk: Desk): Plan {
  const id = desk.layout.counter(desk.random);
  const end = desk.random.chance(0.6) ? 'autocommit' : 'commit';
  return transaction('increment', [desk.sql.increment([id])], [], { increments: new Map([[id, 1]]), end });
}

/** Two rows, often far apart, in one statement. */
export function incrementPair(desk: Desk): Plan | null {
  const ids = [desk.layout.counter(desk.random), desk.layout.counter(desk.random)];
  if (ids[0] === ids[1]) return null;
  const increments = new Map(ids.map((id) => [id, 1]));
  const end = desk.random.chance(0.6) ? 'autocommit' : 'commit';
  return transaction('incrementPair', [desk.sql.increment(ids)], [], { increments, end });
}

/** Several statements, the same row perhaps twice. The order is left to chance: some of these end in a deadlock. */
export function incrementMany(desk: Desk): Plan {
  const increments = new Map<number, number>();
  const steps = Array.from({ length: 2 + desk.random.int(3) }, () => {
    const id = desk.layout.counter(desk.random, 0.9);
    increments.set(id, (increments.get(id) ?? 0) + 1);
    return desk.sql.increment([id]);
  });
  return transaction('incrementMany', steps, [], { increments });
}
