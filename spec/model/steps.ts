import fc from 'fast-check';
import { dml, type Dml } from './dml';
import { record } from './record';

/** Connections of the application. */
export const CONNECTIONS = 3;

/** What happens before the n-th statement of a step of the pipeline. */
export type Between =
  | { readonly at: number; readonly connection: number; readonly dml: Dml }
  /** The connection that is about to send is lost; with `after`, once its statement was carried out. */
  | { readonly at: number; readonly lose: 'before' | 'after' };

export type Step =
  | { readonly step: 'dml'; readonly connection: number; readonly dml: Dml }
  | { readonly step: 'begin'; readonly connection: number; readonly snapshot: boolean }
  | { readonly step: 'end'; readonly connection: number; readonly commit: boolean }
  /** A reader's snapshot of the whole database, and the table as it is in it. */
  | { readonly step: 'view' | 'look' }
  | {
      readonly step: 'copy' | 'replay' | 'verify' | 'recheck' | 'swap';
      readonly entries: number;
      readonly commit: boolean;
      readonly between: readonly Between[];
    };

const connection = fc.nat(CONNECTIONS - 1);
const at = fc.nat(14);

const between: fc.Arbitrary<Between> = fc.oneof(
  { weight: 9, arbitrary: record({ at, connection, dml }) },
  { weight: 1, arbitrary: record({ at, lose: fc.constantFrom('before' as const, 'after' as const) }) },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: record({ step: fc.constant('dml' as const), connection, dml }) },
  {
    weight: 2,
    arbitrary: record({ step: fc.constant('begin' as const), connection, snapshot: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: record({ step: fc.constant('end' as const), connection, commit: fc.boolean() }),
  },
  { weight: 1, arbitrary: record({ step: fc.constantFrom('view' as const, 'look' as const) }) },
  {
    weight: 8,
    arbitrary: record({
      step: fc.constantFrom(
        ...(['copy', 'copy', 'copy', 'replay', 'replay', 'verify', 'recheck', 'swap'] as const),
      ),
      entries: fc.integer({ min: 1, max: 4 }),
      commit: fc.boolean(),
      between: fc.array(between, { maxLength: 3 }),
    }),
  },
);

export const steps: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 20, maxLength: 120, size: 'max' });
