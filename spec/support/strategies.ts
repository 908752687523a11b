import type { CutOverOptions } from '../../lib';
import type { Flavor } from './servers';

type Strategy = Exclude<CutOverOptions['strategy'], 'auto' | undefined>;

/** How the tables can change places on a server. */
export function strategiesOf(flavor: Flavor): readonly Strategy[] {
  return flavor === 'mysql' ? ['rename-under-lock', 'sentry', 'two-step'] : ['sentry', 'two-step'];
}
