import type { Flavor } from '../../spec/support/servers';
import { createWorkload, type Workload } from '../../spec/support/workload';
import { formatCount, formatMs } from './format';
import type { Database } from './database';
import type { DemoOptions } from './options';

export const TABLE = 'emails';

/** The phases of the application's report that belong to one migration. */
export const phasesOf = (title: string): readonly [copy: string, cutOver: string] => [
  title,
  `${title}: cut-over`,
];

/**
 * Transactions that have an old view when they come to the table. MySQL answers them with error 1412; on MariaDB the
 * swap has to wait for an instant in which there is none, so the application has none there.
 */
const VIEWS = {
  mysql: { isolation: 'mixed', pairedReaders: 2, holdMs: 1000 },
  mariadb: { isolation: 'READ COMMITTED', pairedReaders: 0 },
} as const;

/**
 * The application: writers, readers that check every acknowledged write at once, readers with an old view, and a
 * probe that touches one row every 5 ms.
 */
export function startApplication(
  flavor: Flavor,
  { rows, writers }: DemoOptions,
  { connection, name }: Database,
): Workload {
  const application = createWorkload({
    ...{ connection, database: name, table: TABLE, rows, writers, seed: 20110413 },
    ...{ ...VIEWS[flavor], dumps: false, probe: true, pace: 5 },
  });
  application.mark('before');
  application.start();
  return application;
}

/** One line every ten seconds where there is no bar that it would tear apart. */
export function watch(application: Workload): { stop(): void } {
  if (process.stderr.isTTY) return { stop: () => undefined };
  const timer = setInterval(() => {
    const { transactionsPerSecond, transactions, longestQueryMs, findings, probe } = application.stats();
    console.error(
      `[app] ${formatCount(transactionsPerSecond)} transactions/s, ${formatCount(transactions)} in all, ` +
        `probe p95 ${formatMs(probe.p95)}, longest query ${formatMs(longestQueryMs)}, ${findings} wrong answers`,
    );
  }, 10_000);
  return { stop: () => clearInterval(timer) };
}
