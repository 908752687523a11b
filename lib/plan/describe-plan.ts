import type { MigrationPlan, PlannedColumn } from './plan';

/** The plan in words: what a person decides by. */
export function describePlan(plan: Omit<MigrationPlan, 'text'>): string {
  const { table, server, names, chunkKey, cutOver, estimate } = plan;
  const lines = [
    `Plan for ${table} on ${server.flavor === 'mysql' ? 'MySQL' : 'MariaDB'} ${server.version}: nothing was changed.`,
    '',
    ...(plan.problems.length === 0
      ? ['The migration would run.']
      : list(
          'The migration would refuse to begin:',
          plan.problems.map(({ code, message, hint }) => `${code}: ${message} ${hint}`),
        )),
    ...list('Change:', plan.alter),
    ...list('Columns:', plan.columns.filter(({ how }) => how !== 'same').map(describeColumn)),
    ...definition(plan),
    ...list('Why this way:', plan.why),
    ...better(plan),
    ...list('Steps:', [
      `rows are copied to '${names.ghost}' ${chunkKey === null ? '' : `along ${chunkKey.index} (${chunkKey.columns.join(', ')}), `}in about ${count(estimate.chunks)} chunks`,
      `changes are captured by ${CAPTURED_BY[plan.mode]} in '${names.journal}', and every row is compared`,
      `the swap is made by ${cutOver.strategy}; transactions with an older view: ${cutOver.oldReadViews}`,
      `the original stays as '${names.old}'`,
    ]),
    ...list(
      "The table's own triggers, which the new one has from the swap on:",
      plan.triggers.map(({ name, when, definer }) => `${name}, ${when}, as ${definer}`),
    ),
    ...list('Foreign keys:', plan.foreignKeys),
    ...list('Size:', [
      `about ${count(estimate.rows)} rows, ${bytes(estimate.tableBytes)} for the new table, ${bytes(estimate.binlogBytes)} of binary log` +
        (estimate.freeBytes === null
          ? '; the server does not tell how much room there is'
          : `; ${bytes(estimate.freeBytes)} are free`),
      ...journal(estimate),
    ]),
    ...list(
      'Data that could be lost:',
      plan.dataRisks.map(({ message }) => message),
    ),
    ...list(
      'In the way now:',
      plan.blockers.map(({ connection, seconds, why }) => `connection ${connection}, ${seconds} s: ${why}`),
    ),
    ...list(
      'Named elsewhere:',
      plan.references.map(({ kind, name, columns }) => `${kind} ${name} names ${columns.join(', ')}`),
    ),
    ...list('Worth knowing:', plan.warnings),
  ];
  return lines.join('\n');
}

const CAPTURED_BY = { triggers: 'three triggers', binlog: 'reading the binary log' } as const;

function better({ mode, suggestedMode }: Pick<MigrationPlan, 'mode' | 'suggestedMode'>): string[] {
  const suggested = suggestedMode.mode;
  return suggested === mode ? [] : list(`Better by mode: '${suggested}':`, [suggestedMode.why]);
}

/** The server's own lines. */
function definition({ newDefinition }: Pick<MigrationPlan, 'newDefinition'>): string[] {
  if (newDefinition === null) return [];
  return [
    '',
    'The new table, as it was made and removed again:',
    ...newDefinition.split('\n').map((line) => `  ${line}`),
  ];
}

function journal({ journalEntryBytes, writesPerSecond }: MigrationPlan['estimate']): string[] {
  if (journalEntryBytes === null) return [];
  const rate =
    writesPerSecond === null ? '' : `; the table has had ${writesPerSecond.toFixed(1)} writes a second`;
  return [`about ${bytes(journalEntryBytes)} of journal for each change that waits to be applied${rate}`];
}

function list(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', title, ...items.map((item) => `  - ${item}`)];
}

function describeColumn({ from, to, how }: PlannedColumn): string {
  if (to === null) return `${from ?? ''} is dropped`;
  const renamed = from !== null && from !== to ? `${from} becomes ${to}` : to;
  return `${renamed}: ${how === 'default' ? 'new, filled by its default' : how === 'value' ? 'filled by an expression' : how}`;
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function bytes(value: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power] ?? ''}`;
}
