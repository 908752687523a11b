import { format } from 'mysql2';

type SqlValue = string | number | null;
import { isConnectionLoss } from '../database/server-error';
import { errorNumber, messageOf } from '../database/server-error';
import { Refusal } from '../errors';
import type { RetargetedStatement } from '../schema/retarget-statement';

const CORRECT_IT =
  'Correct the alter function. It ran on an empty copy of the table; the table itself was not touched.';

/** Errors of the server with a way out of their own. */
const HINTS: ReadonlyMap<number, string> = new Map([
  [
    3750,
    'Add a primary key in this change, or GRANT SESSION_VARIABLES_ADMIN ON *.* TO the account: with it the migration ' +
      'switches sql_require_primary_key off for itself.',
  ],
  [
    // A default such as (uuid()), where the new column's values could differ on a replica.
    1674,
    'Add the column without the default, then give it one with ALTER COLUMN … SET DEFAULT, and say in ctx.values ' +
      'what the rows there are get.',
  ],
]);

/** What to throw when a statement of the alter function failed. That the connection was lost is not the statement's fault. */
export function alterFailed(
  statement: RetargetedStatement,
  bindings: readonly unknown[],
  cause: unknown,
): unknown {
  if (isConnectionLoss(cause)) return cause;
  const { sqlMessage } = cause as { sqlMessage?: unknown };
  const said = typeof sqlMessage === 'string' ? sqlMessage : messageOf(cause);
  return new Refusal(
    'LHM_ALTER_FAILED',
    `The server refused a statement of the alter function: ${said}. The statement: ${withBindings(statement.readable, bindings)}`,
    HINTS.get(errorNumber(cause)) ?? CORRECT_IT,
    { cause },
  );
}

/** The error for anything else that went wrong while the builder's statements were compiled or run. */
export function builderFailed(cause: unknown): Refusal {
  return new Refusal(
    'LHM_ALTER_FAILED',
    `Knex could not make the builder's changes: ${messageOf(cause)}`,
    'Correct the alter function; look first whether every column it names exists. The table itself was not touched.',
    { cause },
  );
}

/** The statement with its values put in, as the driver sends it. */
export function withBindings(sql: string, bindings: readonly unknown[]): string {
  return bindings.length === 0 ? sql : format(sql, bindings as SqlValue[]);
}
