import type { Client } from './client';
import { classify, Mismatch } from './errors';
import type { Ledger } from './ledger';
import type { Plan, Step } from './plan';
import type { Tally } from './tally';
import type { Cell } from './row';

export interface Executor {
  readonly client: Client;
  readonly ledger: Ledger;
  readonly tally: Tally;
  /** Called before each statement but the first. */
  readonly pause: () => Promise<void>;
}

/**
 * Runs one planned transaction. Returns when it is acknowledged, throws when it is not; the ledger is right in
 * either case. The caller rolls back.
 */
export async function executePlan(plan: Plan, { client, ledger, tally, pause }: Executor): Promise<void> {
  // From the moment at which the deciding statement is sent, a lost connection leaves open what became of it.
  let deciding = plan.end === 'autocommit';
  try {
    if (deciding) ledger.committing(plan);
    else await client.run('START TRANSACTION');
    for (const [i, step] of plan.steps.entries()) {
      if (i > 0) await pause();
      await runStep(step, client, ledger, tally, plan);
    }
    if (plan.end === 'commit') {
      await pause();
      ledger.committing(plan);
      deciding = true;
      await client.run('COMMIT');
    }
    if (plan.end === 'rollback') await client.run('ROLLBACK');
    else ledger.acknowledge(plan);
    tally.committed(plan.kind);
    plan.onAcknowledged?.();
  } catch (error) {
    if (deciding && undecided(plan, error)) ledger.doubt(plan);
    else ledger.forget(plan);
    throw error;
  }
}

function undecided(plan: Plan, error: unknown): boolean {
  // It did take effect, on fewer rows than it should have.
  if (error instanceof Mismatch) return plan.end === 'autocommit';
  const kind = classify(error);
  if (kind === 'lost') return true;
  // A statement that failed changed nothing; of a COMMIT that failed in an unknown way nobody can say so.
  return plan.end === 'commit' && kind === 'unexpected';
}

async function runStep(step: Step, client: Client, ledger: Ledger, tally: Tally, plan: Plan): Promise<void> {
  if ('expect' in step) {
    const cells = await client.rows(step.sql, step.values);
    tally.reads.writer += 1;
    if (same(cells, step.expect)) return;
    tally.finding(
      'reader',
      plan.kind,
      step.id,
      `${step.sql}: ${show(cells)} instead of ${show(step.expect)}`,
    );
    throw new Mismatch();
  }
  // Savepoints cannot be prepared.
  if (step.values.length === 0) return client.run(step.sql);
  const floor = ledger.highestGiven;
  const { affectedRows, insertId } = await client.write(step.sql, step.values);
  if (step.affected !== null && affectedRows !== step.affected) {
    const category = affectedRows < step.affected ? 'lost' : 'extra';
    const rows = `${affectedRows} rows instead of ${step.affected}`;
    tally.finding(category, plan.kind, step.id, `${step.sql} found ${rows}: ${show([step.values])}`);
    throw new Mismatch();
  }
  if (step.onInsertId === undefined) return;
  // The counter of a new table must not fall behind: the application may have kept an id of a row that is gone.
  if (insertId <= floor) {
    tally.finding(
      'wrong',
      plan.kind,
      insertId,
      `the server gave out id ${insertId} although it had given ${floor}`,
    );
    throw new Mismatch();
  }
  ledger.highestGiven = Math.max(ledger.highestGiven, insertId);
  step.onInsertId(insertId);
}

function same(a: readonly (readonly Cell[])[], b: readonly (readonly Cell[])[]): boolean {
  const text = (rows: readonly (readonly Cell[])[]): string =>
    JSON.stringify(rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))));
  return text(a) === text(b);
}

function show(rows: readonly (readonly Cell[])[]): string {
  return rows.length === 0 ? 'no row' : JSON.stringify(rows);
}
