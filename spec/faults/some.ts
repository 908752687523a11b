import { randomInt } from 'node:crypto';

import { Random } from '../support/workload/random';

/** Everything is gone through with `LHM_FAULTS=all`; otherwise a few places are drawn, others in every run. */
const ALL = process.env['LHM_FAULTS'] === 'all';

/** What was drawn can be drawn again. */
export const SEED = Number(process.env['LHM_FAULTS_SEED'] ?? randomInt(2 ** 31));

const random = new Random(SEED);

/** So many of them, drawn at random, or all. */
export function some<T>(all: readonly T[], few: number, from = random): T[] {
  if (ALL) return [...all];
  const rest = [...all];
  const chosen: T[] = [];
  while (rest.length > 0 && chosen.length < few) chosen.push(...rest.splice(from.int(rest.length), 1));
  return chosen;
}
