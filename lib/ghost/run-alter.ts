import type { Knex } from 'knex';
import type { Session } from '../database/session';
import { Refusal } from '../errors';
import { alterStringToStatement } from '../schema/alter-string';
import { createColumnTracker, type ColumnTracker } from '../schema/column-tracker';
import {
  retargetStatement,
  type RetargetedStatement,
  type RetargetTarget,
} from '../schema/retarget-statement';
import type { SqlModes } from '../schema/sql-tokens';
import { alterFailed, builderFailed, withBindings } from './alter-failed';
import type { AlterFunction } from './alter-function';
import { collectStatements, runCollected } from './collect-statements';
import { createAlterKnex, type OnStatement } from './knex-on-session';
import { RawStatements } from './raw-statements';

export interface RunAlterDeps {
  /** The caller's Knex; only its configuration is used. */
  readonly knex: Knex;
  /** Where the statements run. */
  readonly session: Session;
  readonly target: RetargetTarget;
  readonly modes: SqlModes;
  /** The origin's columns, for the tracker. */
  readonly columns: readonly string[];
}

export interface AlterOutcome {
  /** The statements that changed the ghost, as they ran, in order. */
  readonly statements: string[];
  /** The same with what is known of them; `readable` names the origin. */
  readonly changes: readonly RetargetedStatement[];
  /** Which ghost column carries which origin column's data. */
  readonly tracker: ColumnTracker;
  /** What the user put into `ctx.values`. */
  readonly values: Record<string, string>;
}

/**
 * Runs the user's change on the ghost.
 *
 * @throws Refusal LHM_ALTER_FAILED when the server refuses a statement, LHM_ALTER_CHANGES_NOTHING, and those of
 *   `retargetStatement`. What the user's own code throws is passed on as it is.
 */
export async function runAlter(alter: AlterFunction | string, deps: RunAlterDeps): Promise<AlterOutcome> {
  const { knex, session, target, modes, columns } = deps;
  const tracker = createColumnTracker(columns);
  const changes: RetargetedStatement[] = [];
  const record: OnStatement = (statement, bindings) => {
    if (statement.kind === 'read' || statement.kind === 'set') return;
    tracker.apply(statement.clauses);
    changes.push({
      ...statement,
      sql: withBindings(statement.sql, bindings),
      readable: withBindings(statement.readable, bindings),
    });
  };
  const values: Record<string, string> = {};
  if (typeof alter === 'string') {
    await runString(alter, session, target, modes, record);
  } else {
    const alterKnex = createAlterKnex(knex, session, target, modes, record);
    await runFunction(alter, alterKnex, values, deps);
  }
  if (changes.length === 0 && Object.keys(values).length === 0) throw changesNothing();
  return { statements: changes.map(({ sql }) => sql), changes, tracker, values };
}

async function runString(
  text: string,
  session: Session,
  target: RetargetTarget,
  modes: SqlModes,
  record: OnStatement,
): Promise<void> {
  const statement = alterStringToStatement(text, target, modes);
  try {
    await session.raw(statement.sql);
  } catch (error) {
    throw alterFailed(statement, [], error);
  }
  record(statement, []);
}

async function runFunction(
  alter: AlterFunction,
  alterKnex: Knex,
  values: Record<string, string>,
  { session, target, modes }: RunAlterDeps,
): Promise<void> {
  const raw = new RawStatements(alterKnex);
  // Knex names indexes after the table as its caller calls it.
  const called = target.called ?? target.origin;
  const collected = collectStatements(alterKnex, called);
  let unseen: { readonly error: unknown } | null;
  try {
    // Knex, too, offers the builder as `this`.
    await alter.call(collected, collected, {
      ghostTable: target.ghost,
      raw: (...given) => raw.run(...given),
      values,
    });
  } finally {
    // Whatever became of the function, nothing of it may still be running when the ghost is used or dropped.
    unseen = await raw.finish();
  }
  if (unseen !== null) throw unseen.error;
  try {
    await runCollected(alterKnex, called, collected, (sql) => retargetStatement(sql, target, modes));
  } catch (error) {
    throw error instanceof Refusal || session.lost ? error : builderFailed(error);
  }
}

function changesNothing(): Refusal {
  return new Refusal(
    'LHM_ALTER_CHANGES_NOTHING',
    'The alter function changed nothing.',
    'Change the table through the builder or ctx.raw, or set ctx.values. To have it rebuilt as it is, run FORCE.',
  );
}
