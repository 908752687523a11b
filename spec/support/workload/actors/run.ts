import type { Layout } from '../layout';
import type { Ledger } from '../ledger';
import type { ResolvedOptions } from '../options';
import type { Statements } from '../statements';
import type { Tally } from '../tally';
import type { Stopper } from './stopper';

/** What all clients of one workload share. */
export interface Run {
  readonly options: ResolvedOptions;
  readonly layout: Layout;
  readonly ledger: Ledger;
  readonly statements: Statements;
  readonly tally: Tally;
  readonly stopper: Stopper;
}
