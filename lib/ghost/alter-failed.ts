import { format } from 'mysql2';

type SqlValue = string | number | null;
import { Refusal } from '../errors';
import type { RetargetedStatement } from '../schema/retarget-statement';

/** The error for a statement of the alter function that the server refused. */
export function alterFailed(
  statement: RetargetedStatement,
  bindings: readonly unknown[],
  cause: unknown,
): Refusal {
  const { sqlMessage, message } = cause as { sqlMessage?: unknown; message?: unknown };
  const said = typeof sqlMessage === 'string' ? sqlMessage : String(message ?? cause);
  const sql = withBindings(statement.readable, bindings);
  return new Refusal(
    'LHM_ALTER_FAILED',
    `The server refused a statement of the alter function: ${said}. The statement: ${sql}`,
    'Correct the alter function. It ran on an empty copy of the table; the table itself was not touched.',
    { cause },
  );
}

/** The error for anything else that went wrong while the builder's statements were compiled or run. */
export function builderFailed(cause: unknown): Refusal {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new Refusal(
    'LHM_ALTER_FAILED',
    `Knex could not make the builder's changes: ${message}`,
    'Correct the alter function; look first whether every column it names exists. The table itself was not touched.',
    { cause },
  );
}

/** The statement with its values put in, as the driver sends it. */
export function withBindings(sql: string, bindings: readonly unknown[]): string {
  return bindings.length === 0 ? sql : format(sql, bindings as SqlValue[]);
}
