import type { Knex } from 'knex';

import { LargeHadronError } from '../../lib';
import { messageOf } from '../../lib/database/server-error';
import type { RunningServer } from '../support/servers';
import { TestTable } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { failOnce, type FailOnce, type Fault } from './fail-once';
import { some, SEED } from './some';
import { NO_WRITES, Writes, type Writing } from './writes';

/** One table on which an attempt is made. */
export interface Trial {
  readonly test: TestTable;
  readonly writes: Writing;
}

/** What is done again and again, each time with another statement of the library failing. */
export interface Sweep {
  /** What it is that is attempted: the statements of two attempts of the same name are the same. */
  readonly name: string;
  readonly server: RunningServer;
  readonly fault: Fault;
  /** Makes the table ready; then nobody but the attempt and the check writes to it. Default: an application writes. */
  readonly prepare?: (test: TestTable) => Promise<void>;
  /** Calls the library; statements count from `arm` on, or from the beginning when it is not called before. */
  readonly attempt: (trial: Trial, knex: Knex, arm: () => void) => Promise<unknown>;
  readonly armed?: 'at once' | 'later';
  /** Places to leave out. */
  readonly except?: RegExp;
  /** Throws when the table is not as it must be after this end; says whether it may serve another attempt. */
  readonly check: (trial: Trial, error: LargeHadronError | null) => Promise<'as before' | 'changed'>;
}

export interface Swept {
  /** Statements there are. */
  readonly places: number;
  /** What went wrong, each with the statement. */
  readonly problems: readonly string[];
}

/** Tables on which attempts are made at the same time. */
const LANES = 4;

/** Statements of each attempt that fail where not all do. */
const FEW = 4;

/** Makes statements fail, one at a time, that an undisturbed attempt runs. */
export async function sweep(given: Sweep): Promise<Swept> {
  const all = await placesOf(given);
  const waiting = some(all, FEW);
  const problems: string[] = [];
  let reached = 0;
  const missed: string[] = [];
  // Where it depends on the server's answers, a statement of two undisturbed attempts may be none of the third.
  const mostMissed = Math.max(1, Math.floor(waiting.length / 20));
  const lane = async (): Promise<void> => {
    let trial: Trial | null = null;
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      trial ??= await prepared(given);
      try {
        const { struck, end } = await attempt(given, trial, place);
        if (struck.struck !== null) reached += 1;
        else if (!byChance(given)) missed.push(`${place} (LHM_FAULTS_SEED=${SEED}): it was not reached`);
        if (end !== null && !(end instanceof LargeHadronError))
          throw new Error('what was thrown is no LargeHadronError', { cause: end });
        await trial.writes.done();
        if (struck.struck !== null && (await given.check(trial, end)) === 'as before') continue;
      } catch (error) {
        problems.push(`${place} (LHM_FAULTS_SEED=${SEED}): ${messageOf(error)}`);
      }
      const { test }: Trial = trial;
      trial = null;
      await test.drop().catch((error: unknown) => problems.push(`${place}, dropping: ${messageOf(error)}`));
    }
    await trial?.test.drop();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (reached === 0) problems.push('none of the places was reached');
  if (missed.length > mostMissed) problems.push(...missed);
  return { places: all.length, problems };
}

/** With the binary log it is a matter of time when keys and marks are written, and on which connection. */
const byChance = ({ server }: Sweep): boolean => server.mode === 'binlog';

async function prepared({ server, prepare }: Sweep): Promise<Trial> {
  const test = await TestTable.create(server, { rows: 12 });
  if (prepare !== undefined) {
    await prepare(test);
    return { test, writes: NO_WRITES };
  }
  return { test, writes: await Writes.prepare(test) };
}

async function attempt(
  { attempt: run, fault, armed: from = 'at once' }: Sweep,
  trial: Trial,
  place: string | null,
): Promise<{ struck: FailOnce; end: unknown }> {
  const knex = trial.test.makeKnex();
  let armed = from === 'at once';
  const struck = failOnce(knex, {
    ...{ place, fault, counts: () => armed },
    kill: (connections) => killConnections(trial.test, connections),
    meanwhile: () => trial.writes.begin(),
  });
  const end: unknown = await run(trial, knex, () => (armed = true)).then(
    () => null,
    (error: unknown) => error,
  );
  return { struck, end };
}

const known = new Map<string, Promise<string[]>>();

/** The places at which this fault makes a difference. */
async function placesOf(given: Sweep): Promise<string[]> {
  const key = `${given.server.flavor} ${given.name}`;
  const all = known.get(key) ?? undisturbed(given);
  known.set(key, all);
  return (await all).filter((place) => counts(place, given.fault) && given.except?.test(place) !== true);
}

/** What two attempts run that nothing disturbs; where the library waits, one may ask the server once more. */
async function undisturbed(given: Sweep): Promise<string[]> {
  const seen: ReadonlySet<string>[] = [];
  while (seen.length < 2) {
    const trial = await prepared(given);
    try {
      seen.push((await attempt(given, trial, null)).struck.places);
    } finally {
      await trial.test.drop();
    }
  }
  const [first, second] = seen;
  return [...(first ?? [])].filter((place) => second?.has(place));
}

/** Said again until the answer is the one that is waited for. */
const POLL = /^\d+: SHOW PROCESSLIST › SHOW PROCESSLIST$/;

/** Cut before or after it is the same to both sides. */
const READ = /^[^›]*› (?:SELECT|SHOW)\b(?!.*(?:GET_LOCK|LOCK IN SHARE MODE))/;

/** Every session is set up by the same statements: those of the second connection stand for all. */
const SETUP =
  /^(?!2:)\d+: SET (?:NAMES|SESSION|NAMES)[^›]*› SET (?:NAMES|SESSION)(?! (?:autocommit = N$|lock_wait|sql_mode))/;

function counts(place: string, fault: Fault): boolean {
  if (POLL.test(place) || SETUP.test(place)) return false;
  return !fault.endsWith('before') || !READ.test(place);
}

/** Ends connections, and resolves when the server has none of them any more. */
export async function killConnections(test: TestTable, connections: readonly number[]): Promise<void> {
  for (const connection of connections) await test.query(`KILL ${connection}`).catch(() => undefined);
  await until(`the end of connections ${connections.join(', ')}`, async () => {
    const rows = await test.query<{ Id: number }>('SHOW PROCESSLIST');
    return rows.some(({ Id }) => connections.includes(Id)) ? undefined : true;
  });
}
