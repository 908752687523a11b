import type { Knex } from 'knex';

import { LargeHadronError } from '../../lib';
import { messageOf } from '../../lib/database/server-error';
import { failOnce, type FailOnce, type Fault } from './fail-once';
import type { RunningServer } from './servers';
import { TestTable } from './test-table';
import { until } from './test-table-process-list';

/** What is done again and again, each time with another statement of the library failing. */
export interface Sweep {
  readonly server: RunningServer;
  readonly fault: Fault;
  readonly prepare: (test: TestTable) => Promise<void>;
  /** Calls the library; statements count from `arm` on, or from the beginning when it is not called before. */
  readonly attempt: (test: TestTable, knex: Knex, arm: () => void) => Promise<unknown>;
  readonly armed?: 'at once' | 'later';
  /** Places to leave out. */
  readonly except?: RegExp;
  /** Throws when the table is not as it must be after this end; says whether it may serve another attempt. */
  readonly check: (test: TestTable, error: LargeHadronError | null) => Promise<'as before' | 'changed'>;
}

export interface Swept {
  /** Statements that were made to fail. */
  readonly places: number;
  /** What went wrong, each with the statement. */
  readonly problems: readonly string[];
}

/** Tables on which attempts are made at the same time. */
const LANES = 4;

/** Makes every statement fail once that an undisturbed attempt runs. */
export async function sweep(given: Sweep): Promise<Swept> {
  const waiting = await placesOf(given);
  const places = waiting.length;
  const problems: string[] = [];
  const lane = async (): Promise<void> => {
    let test: TestTable | null = null;
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      test ??= await prepared(given);
      try {
        const { struck, end } = await attempt(given, test, place);
        if (struck.struck === null) throw new Error('it was not reached');
        if (end !== null && !(end instanceof LargeHadronError))
          throw new Error('what was thrown is no LargeHadronError', { cause: end });
        if ((await given.check(test, end)) === 'as before') continue;
      } catch (error) {
        problems.push(`${place}: ${messageOf(error)}`);
      }
      const used: TestTable = test;
      test = null;
      await used.drop().catch((error: unknown) => problems.push(`${place}, dropping: ${messageOf(error)}`));
    }
    await test?.drop();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { places, problems };
}

async function prepared({ server, prepare }: Sweep): Promise<TestTable> {
  const test = await TestTable.create(server, { rows: 12 });
  await prepare(test);
  return test;
}

async function attempt(
  { attempt: run, fault, armed: from = 'at once' }: Sweep,
  test: TestTable,
  place: string | null,
): Promise<{ struck: FailOnce; end: unknown }> {
  const knex = test.makeKnex();
  let armed = from === 'at once';
  const struck = failOnce(knex, {
    ...{ place, fault, counts: () => armed },
    kill: (connection) => kill(test, connection),
  });
  const end: unknown = await run(test, knex, () => (armed = true)).then(
    () => null,
    (error: unknown) => error,
  );
  return { struck, end };
}

/** What two attempts run that nothing disturbs; where the library waits, one may ask the server once more. */
async function placesOf(given: Sweep): Promise<string[]> {
  const seen: ReadonlySet<string>[] = [];
  while (seen.length < 2) {
    const test = await prepared(given);
    try {
      seen.push((await attempt(given, test, null)).struck.places);
    } finally {
      await test.drop();
    }
  }
  const [first, second] = seen;
  return [...(first ?? [])].filter(
    (place) => second?.has(place) && counts(place, given.fault) && given.except?.test(place) !== true,
  );
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
  return fault !== 'cut before' || !READ.test(place);
}

async function kill(test: TestTable, connection: number): Promise<void> {
  await test.query(`KILL ${connection}`).catch(() => undefined);
  await until(`the end of connection ${connection}`, async () => {
    const rows = await test.query<{ Id: number }>('SHOW PROCESSLIST');
    return rows.some(({ Id }) => Id === connection) ? undefined : true;
  });
}
