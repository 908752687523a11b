import type { MigrationResult } from 'large-hadron-migrate';
import type { RunningServer } from '../../spec/support/servers';
import {
  describeReport,
  isExact,
  pairTableName,
  type LedgerReport,
  type PhaseReport,
} from '../../spec/support/workload';
import { phasesOf, TABLE } from './application';
import { formatCount, formatMs, formatSeconds, formatTable } from './format';
import type { DemoOptions } from './options';

/** What a run has brought to light. */
export interface Evidence {
  readonly server: RunningServer;
  readonly options: DemoOptions;
  /** Of the knex command that changed the table. */
  readonly exitCode: number | null;
  readonly results: readonly MigrationResult[];
  readonly report: LedgerReport;
  /** The columns that the table has got. */
  readonly columns: readonly string[];
  /** The migrations that knex has noted as done. */
  readonly recorded: readonly string[];
  readonly objects: { readonly tables: readonly string[]; readonly triggers: readonly string[] };
}

/** For a person. */
export function summary(evidence: Evidence): string[] {
  const { server, options, results, report } = evidence;
  const heading = `${server.flavor} ${server.version}: ${formatCount(options.rows)} rows, ${options.writers} writers`;
  const failures = whatFailed(evidence);
  return [
    heading,
    '-'.repeat(heading.length),
    ...formatTable(
      [
        ['migration', 'took', 'rows copied', 'changes replayed', 'rows verified', 'blocked', 'longest query'],
        ...results.map((result, i) => migrationRow(options.changes[i]?.title ?? '', result, report)),
      ],
      'right',
    ),
    '',
    '  blocked: how long writes can have waited for the swap of the tables, as the migration measured it;',
    '  longest query: from begin to end of the migration, of any client, for any reason, as the client measured it.',
    '',
    ...formatTable([...application(report), ...onTheServer(evidence), ledger(report)], 'left'),
    ...(isExact(report) ? [] : ['', describeReport(report)]),
    '',
    failures.length === 0 ? 'OK' : `FAILED: ${failures.join('; ')}`,
  ];
}

/** Nothing, if everything is as it must be. */
export function whatFailed(evidence: Evidence): string[] {
  const { options, exitCode, results, recorded, report } = evidence;
  const changes = options.changes.length;
  const migrations = 1 + changes;
  const failures = [
    exitCode !== 0 && `knex ended with ${exitCode ?? 'a signal'}`,
    results.length !== changes && `${results.length} of ${changes} tables were migrated`,
    recorded.length !== migrations && `knex noted ${recorded.length} of ${migrations} migrations`,
    leftovers(evidence).length > 0 && 'something was left on the server',
    !isExact(report) && 'the ledger is not exact',
  ];
  return failures.filter((failure) => failure !== false);
}

function migrationRow(name: string, result: MigrationResult, report: LedgerReport): string[] {
  const { rowsCopied, changesApplied, verified, cutOver, durations } = result;
  const phases = phasesOf(name);
  const longest = report.phases
    .filter((phase) => phases.includes(phase.name))
    .map((phase) => phase.longestQueryMs);
  return [
    name,
    formatSeconds(durations.total),
    formatCount(rowsCopied),
    formatCount(changesApplied),
    formatCount(verified.rows),
    formatMs(cutOver.stallMs),
    formatMs(Math.max(...longest)),
  ];
}

type Line = readonly [label: string, text: string];

function application(report: LedgerReport): Line[] {
  const { reads, phases } = report;
  const before = phases.filter(({ name }) => name === 'before');
  const during = phases.filter(({ name }) => name !== 'before' && name !== 'after');
  return [
    [
      'application',
      `${formatCount(report.transactions)} transactions acknowledged, ${rate(during)} a second while migrating, ${rate(before)} before`,
    ],
    [
      'longest query',
      `${formatMs(report.longestQueryMs)} that any client saw; ${formatMs(longestOf(before))} before the first migration`,
    ],
    [
      'checked at once',
      `${formatCount(reads.writer + reads.fresh)} reads of rows just written, ${formatCount(reads.paired)} reads in older views`,
    ],
    [
      'retried',
      `${report.deadlocks} deadlocks, ${report.lockTimeouts} lock timeouts, ${report.staleViewRetries} views older than the swap (error 1412)`,
    ],
  ];
}

function rate(phases: readonly PhaseReport[]): string {
  const ms = phases.reduce((sum, phase) => sum + phase.ms, 0);
  const transactions = phases.reduce((sum, phase) => sum + phase.transactions, 0);
  return formatCount(Math.round(ms === 0 ? 0 : (transactions * 1000) / ms));
}

const longestOf = (phases: readonly PhaseReport[]): number =>
  Math.max(0, ...phases.map((phase) => phase.longestQueryMs));

function onTheServer(evidence: Evidence): Line[] {
  const old = oldTables(evidence);
  const left = leftovers(evidence);
  return [
    [
      'knex',
      `${evidence.recorded.length} of ${1 + evidence.options.changes.length} migrations noted as done`,
    ],
    ['new columns', evidence.columns.join(', ')],
    ['kept', `${old.length} old tables: ${old.join(', ')}`],
    ['left behind', left.length === 0 ? 'nothing: no other table, no trigger' : left.join(', ')],
  ];
}

function ledger(report: LedgerReport): Line {
  const { lost, extra, wrong, readerViolations, unexpectedErrors } = report.totals;
  const counts = `lost ${lost}, invented ${extra}, wrong ${wrong}, wrong answers ${readerViolations}, errors ${unexpectedErrors}`;
  return [
    'ledger',
    isExact(report)
      ? `EXACT: each of ${formatCount(report.rows.actual)} rows is what the application was told (${counts})`
      : `NOT EXACT: ${counts}`,
  ];
}

const oldTables = ({ results }: Evidence): string[] =>
  results.map((result) => result.oldTable).filter((name) => name !== null);

/** Tables and triggers that nobody would expect to find. */
function leftovers(evidence: Evidence): string[] {
  const { tables, triggers } = evidence.objects;
  const expected = [TABLE, pairTableName(TABLE), 'knex_migrations', 'knex_migrations_lock'];
  const known = new Set([...expected, ...oldTables(evidence)]);
  return [...tables.filter((name) => !known.has(name)), ...triggers];
}
