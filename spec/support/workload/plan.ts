import type { OperationKind } from './operations';
import type { Cell, Row } from './row';

/** A statement of a planned transaction, and what the server has to answer. */
export type Step = WriteStep | ReadStep;

export interface WriteStep {
  readonly sql: string;
  readonly values: readonly Cell[];
  /** Rows that it must match; `null` where servers count differently. */
  readonly affected: number | null;
  /** The row that it is about, for findings. */
  readonly id: number;
  /** For a row whose id the server chooses. */
  readonly onInsertId?: (id: number) => void;
}

export interface ReadStep {
  readonly sql: string;
  readonly values: readonly Cell[];
  readonly expect: readonly (readonly Cell[])[];
  readonly id: number;
}

/** One transaction: known in full before its first statement, so that the ledger knows what it will have made. */
export interface Plan {
  readonly kind: OperationKind;
  readonly steps: readonly Step[];
  /** What the rows are after COMMIT (`null`: gone). */
  readonly rows: Map<number, Row | null>;
  /** Counters, and by how much. */
  readonly increments: ReadonlyMap<number, number>;
  readonly end: 'autocommit' | 'commit' | 'rollback';
  /** Made once this one is acknowledged, as the writer's next transaction; `null` if it is not possible any more. */
  readonly followUp?: () => Plan | null;
  readonly onAcknowledged?: () => void;
}

export function transaction(
  kind: OperationKind,
  steps: readonly Step[],
  rows: Iterable<readonly [number, Row | null]>,
  more: Partial<Pick<Plan, 'increments' | 'end' | 'followUp' | 'onAcknowledged'>> = {},
): Plan {
  return { kind, steps, rows: new Map(rows), increments: new Map(), end: 'commit', ...more };
}

/** Every row that the transaction may change. */
export function touchedIds(plan: Plan): number[] {
  return [...plan.rows.keys(), ...plan.increments.keys()];
}
