import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MigrationResult } from 'large-hadron-migrate';
import { startServer, type Flavor, type RunningServer } from '../../spec/support/servers';
import { prepareLedgerTable, type Workload } from '../../spec/support/workload';
import { phasesOf, startApplication, TABLE, watch } from './application';
import { Database } from './database';
import { CHANGES, type Migration } from './example';
import { formatCount, formatMs, formatSeconds } from './format';
import { commandLine, knexCli } from './knex-cli';
import type { Message } from './messages';
import type { DemoOptions } from './options';
import { unless } from './stop-signal';
import { summary, whatFailed, type Evidence } from './summary';

/** As on a server whose data matter, and large enough for the table; tests make do with less. */
const SETTINGS = ['--innodb-flush-log-at-trx-commit=1', '--sync-binlog=1', '--innodb-buffer-pool-size=1G'];
const REDO_LOG = { mysql: '--innodb-redo-log-capacity=1G', mariadb: '--innodb-log-file-size=1G' } as const;

/** The application alone, before and after, so that there is something to compare with. */
const BEFORE_MS = 5000;
const AFTER_MS = 2000;

/** One server, from its start to its summary. Resolves with whether everything was as it must be. */
export async function runDemo(flavor: Flavor, options: DemoOptions, stop: AbortSignal): Promise<boolean> {
  const server = await unless(stop, start(flavor));
  const database = new Database(server.connection, `large_hadron_demo_${randomInt(1e9)}`);
  try {
    say(`${flavor} ${server.version} (${server.source})`);
    await fill(database, options.rows, stop);
    const evidence = await migrateUnderLoad(server, database, options, stop);
    say(summary(evidence).join('\n'));
    return whatFailed(evidence).length === 0;
  } finally {
    if (!server.owned) await database.drop().catch((error: unknown) => console.error(error));
    await server.stop();
  }
}

function start(flavor: Flavor): Promise<RunningServer> {
  // A server that somebody else runs has settings of its own.
  const given = process.env[flavor === 'mysql' ? 'LHM_MYSQL_URL' : 'LHM_MARIADB_URL'];
  return startServer(flavor, {
    args: given ? [] : [...SETTINGS, REDO_LOG[flavor]],
    log: (line) => console.error(line),
  });
}

async function fill(database: Database, rows: number, stop: AbortSignal): Promise<void> {
  await unless(stop, database.create());
  const exitCode = await knex(['migrate:up'], database, stop, () => undefined);
  if (exitCode !== 0) throw new Error('The table could not be created');
  // The application's own table, which is full and has more columns, in place of the empty one.
  const from = performance.now();
  const { connection, name } = database;
  await unless(stop, prepareLedgerTable({ connection, database: name, table: TABLE, rows }));
  const took = formatSeconds(performance.now() - from);
  say(`The table '${TABLE}' was given ${formatCount(rows)} rows in ${took}.`);
}

async function migrateUnderLoad(
  server: RunningServer,
  database: Database,
  options: DemoOptions,
  stop: AbortSignal,
): Promise<Evidence> {
  const columnsBefore = await database.columns(TABLE);
  const results: MigrationResult[] = [];
  const application = startApplication(server.flavor, options, database);
  const watching = watch(application);
  try {
    say(`The application writes to it, with ${options.writers} writers and some readers.`);
    await sleep(BEFORE_MS, undefined, { signal: stop });
    const exitCode = await knex(commandFor(options.changes), database, stop, (message) =>
      note(message, options.changes, application, results),
    );
    application.mark('after');
    await sleep(AFTER_MS, undefined, { signal: stop });
    say('The application stops, and every row is compared with what it was told.');
    const report = await unless(stop, application.stop());
    const columns = (await database.columns(TABLE)).filter((column) => !columnsBefore.includes(column));
    return {
      ...{ server, options, exitCode, results, report, columns },
      ...{ recorded: await database.migrations(), objects: await database.objects() },
    };
  } catch (error) {
    // Who asked for the end shall not have to wait for the comparison.
    if (!stop.aborted) await application.stop().catch(() => undefined);
    throw error;
  } finally {
    watching.stop();
  }
}

async function knex(
  command: readonly string[],
  database: Database,
  stop: AbortSignal,
  onMessage: (message: Message) => void,
): Promise<number | null> {
  say(`$ ${commandLine(command)}`);
  const exitCode = await knexCli(command, database.url, stop, onMessage);
  stop.throwIfAborted();
  return exitCode;
}

/** The latest, unless it shall take less long. */
function commandFor(changes: readonly Migration[]): readonly string[] {
  return changes.length === CHANGES.length ? ['migrate:latest'] : ['migrate:to', changes.at(-1)?.file ?? ''];
}

function note(
  message: Message,
  changes: readonly Migration[],
  application: Workload,
  results: MigrationResult[],
): void {
  const name = changes[results.length]?.title ?? '';
  const [copy, cutOver] = phasesOf(name);
  switch (message.event) {
    case 'started':
      application.mark(copy);
      break;
    case 'cut-over':
      application.mark(cutOver);
      break;
    case 'done': {
      const { result } = message;
      results.push(result);
      console.error(
        `${name}: done in ${formatSeconds(result.durations.total)}, the application was blocked for ${formatMs(result.cutOver.stallMs)}`,
      );
      // What comes next is knex's own work.
      application.mark('between');
    }
  }
}

function say(text: string): void {
  console.log(`\n${text}`);
}
