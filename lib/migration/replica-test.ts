import type { Database } from '../database/database';
import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { Refusal } from '../errors';
import type { LockedStep } from '../cut-over/locked-step';
import { renameBackStatement } from '../cut-over/rename-statement';
import { isReplicating, startReplication, stopReplication } from '../replication/stop-start';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import { readRecord, type StateTable } from '../state/state-table';

/** What the state table calls it. */
const REPLICA_TEST = 'replica-test';

/** Written down before the replication is stopped, for whoever finds the tables after a crash. */
interface ReplicaTestNote {
  /** Whether it ran, and so is to be started again when nothing came of the test. */
  readonly replicating: boolean;
}

/** A swap that is only tried (`replica: 'test'`): while the replication stands still, and taken back. */
export class ReplicaTest {
  constructor(
    private readonly database: Database,
    /** Its autocommit is off. */
    private readonly work: Session,
    private readonly state: StateTable,
    private readonly onStopReplication: () => Promise<void>,
  ) {}

  /** Right before the first attempt at the swap. */
  async begin(): Promise<void> {
    const { database, work, state } = this;
    const note: ReplicaTestNote = { replicating: await isReplicating(work, database.server) };
    await state.note(work, REPLICA_TEST, note);
    await this.onStopReplication();
    await stopReplication(work, database.server);
  }
}

/**
 * Right after the swap: the original bears its own name again, and the new table another one, under which it stays. Both are
 * as they were in the instant of the swap, for as long as the replication stands still.
 */
export async function swapBack(
  session: Session,
  { schema, table }: TableName,
  { old, tested }: DerivedNames,
  bound: BoundedLock,
): Promise<void> {
  const name = (one: string): string => qualified(schema, one);
  await withBoundedLock(session, bound, () =>
    session.execute(`RENAME TABLE ${name(table)} TO ${name(tested)}, ${name(old)} TO ${name(table)}`),
  );
}

export interface UnsettledTest {
  readonly session: Session;
  readonly server: ServerCapabilities;
  readonly name: TableName;
  readonly names: DerivedNames;
  readonly swapped: boolean;
  /** What it is when no test was made. Default: `swapped`. */
  readonly lasting?: boolean;
  readonly bound: BoundedLock;
  /** Before the replication is started again; what it throws is ignored. */
  readonly onStartReplication?: () => Promise<void>;
}

/**
 * After a test that broke off, from its note alone: the original gets its name back, and the new table the one of a ghost,
 * to be dropped with the rest; and the replication goes on. May be repeated.
 *
 * @returns whether the tables are swapped, and that for good
 */
export async function settleTest(input: UnsettledTest): Promise<boolean> {
  const { session, server, name, names, swapped, bound } = input;
  const note = (await readRecord(session, name.schema, names.state))?.steps?.[REPLICA_TEST];
  if (note === undefined) return input.lasting ?? swapped;
  if (swapped) {
    const pair = { schema: name.schema, origin: { table: name.table }, names };
    await withBoundedLock(session, bound, () => session.execute(renameBackStatement(pair)));
  }
  if ((note as ReplicaTestNote).replicating && !(await isReplicating(session, server))) {
    await input.onStartReplication?.().catch(() => undefined);
    await startReplication(session, server);
  }
  return false;
}

/**
 * What changes hands with the table cannot be given back to the letter.
 *
 * @throws Refusal LHM_UNSUPPORTED_OPTION
 */
export function refuseTestedSteps(steps: readonly Pick<LockedStep, 'needsLock'>[]): void {
  const reasons = steps.flatMap(({ needsLock }) => (needsLock === null ? [] : [needsLock]));
  if (reasons.length === 0) return;
  throw new Refusal(
    'LHM_UNSUPPORTED_OPTION',
    `replica: 'test' is not possible for this table: ${reasons.join('; ')}.`,
    "Test it by dryRun: 'ghost', or on a copy of the table without that.",
  );
}
