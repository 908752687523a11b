import type { CutOverOptions } from '../../lib';
import type { Flavor } from './servers';

type Strategy = Exclude<CutOverOptions['strategy'], 'auto' | undefined>;

/** How the tables can change places on a server. */
export function strategiesOf(flavor: Flavor): readonly Strategy[] {
  return flavor === 'mysql'
    ? ['rename-under-lock', 'sentry', 'two-step', 'rename-then-replay']
    : ['sentry', 'two-step', 'rename-then-replay'];
}

/** Those under which no moment is without the table, and what belongs to it can change hands with it. */
export function atomicStrategiesOf(flavor: Flavor): readonly ('rename-under-lock' | 'sentry')[] {
  return flavor === 'mysql' ? ['rename-under-lock', 'sentry'] : ['sentry'];
}
