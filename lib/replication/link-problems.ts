import type { Problem, ErrorCode } from '../errors';
import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { filterAgainst } from './replica-filters';
import type { LinkFacts } from './link-facts';
import type { ReplicaStatus } from './replica-status';

/** What is to come through a replica, and how soon. */
export interface Wanted {
  readonly schema: string;
  readonly table: string;
  /** The migrated table, and the one of our own marks. */
  readonly tables: readonly string[];
  /** Whether it must be up to date and running, as at the beginning; later it is waited for. */
  readonly running: boolean;
  /** How late changes may be at most for the tables ever to be swapped, in ms. */
  readonly mostDelayMs: number;
  /** How many domains (`gtid_domain_id`) the changes of the primary are of; 1 on MySQL. */
  readonly domains: number;
  /** Told of every server in between. */
  readonly above?: (session: Session, identity: string, called: string) => Promise<void>;
}

/** How far a replica may be behind when a migration begins, in ms. */
export const MOST_LAG_MS = 60_000;

/** What each flavor calls things. */
export interface Words {
  readonly replica: 'REPLICA' | 'SLAVE';
  readonly change: string;
  readonly delay: string;
}

export function wordsOf({ server }: Pick<LinkFacts, 'server'>): Words {
  return server.flavor === 'mariadb'
    ? { replica: 'SLAVE', change: 'CHANGE MASTER TO', delay: 'MASTER_DELAY' }
    : { replica: 'REPLICA', change: 'CHANGE REPLICATION SOURCE TO', delay: 'SOURCE_DELAY' };
}

/**
 * Why a mark that is seen in this server's log would not mean that everything before it has been seen there. Each problem
 * names what mends it.
 *
 * @param called what the server is called in messages
 */
export function linkProblems(facts: LinkFacts, wanted: Wanted, called: string): Problem[] {
  const problems: Problem[] = [];
  const add = (code: ErrorCode, message: string, hint: string): void => {
    problems.push({ code, message: `${called} ${message}`, hint });
  };
  const { status, variables } = facts;
  const [source, second] = status;
  if (source === undefined) {
    add('LHM_REPLICA_UNFIT', 'is no replica.', 'Name a replica of the server that the Knex leads to.');
    return problems;
  }
  if (second !== undefined) {
    add(
      'LHM_REPLICA_UNFIT',
      `follows ${status.length} sources, whose changes come in no certain order.`,
      'Name a replica that follows one source.',
    );
    return problems;
  }
  const { replica } = wordsOf(facts);
  const value = (...names: readonly string[]): string =>
    names.map((name) => variables.get(name)).find((one) => one !== undefined) ?? '';
  const isOn = (...names: readonly string[]): boolean => ['ON', '1'].includes(value(...names).toUpperCase());
  if (!isOn('log_bin') || !isOn('log_replica_updates', 'log_slave_updates')) {
    add(
      'LHM_BINLOG_OFF',
      'does not log what it gets by replication.',
      'Start it with log_bin and log_replica_updates (log_slave_updates), or name another replica.',
    );
  }
  const format = value('binlog_format').toUpperCase();
  if (format !== 'ROW') {
    add(
      'LHM_BINLOG_FORMAT',
      `has binlog_format = ${format}, under which changes may be logged as statements.`,
      `There: SET GLOBAL binlog_format = 'ROW'; STOP ${replica}; START ${replica};`,
    );
  }
  problems.push(...orderProblems(facts, source, wanted, called));
  problems.push(...completenessProblems(facts, source, wanted, called));
  if (!source.applying && source.error !== '') {
    add(
      'LHM_REPLICA_UNFIT',
      `has stopped applying changes (error ${source.error}). One that is passed over to mend it would be missing in its log.`,
      'Mend the replication and run again, or name another replica.',
    );
    return problems;
  }
  if (!wanted.running) return problems;
  if (!source.applying || !source.connected) {
    add(
      'LHM_REPLICA_UNFIT',
      'does not get or apply changes.',
      `There: START ${replica}; or name another replica.`,
    );
  } else if (source.delayMs > 0 && source.delayMs >= wanted.mostDelayMs) {
    const { change, delay } = wordsOf(facts);
    add(
      'LHM_REPLICA_UNFIT',
      `is told to stay ${source.delayMs / 1000} s behind: the tables could never be swapped.`,
      `There: STOP ${replica}; ${change} ${delay} = 0; START ${replica};`,
    );
  } else if ((source.lagMs ?? 0) > MOST_LAG_MS) {
    add(
      'LHM_REPLICA_UNFIT',
      `is ${(source.lagMs ?? 0) / 1000} s behind.`,
      'Wait until it has caught up, or name another replica.',
    );
  }
  return problems;
}

/** Changes are logged there in the order in which they come. */
function orderProblems(
  { variables, workers, engine, ...facts }: LinkFacts,
  source: ReplicaStatus,
  { schema, table, domains }: Wanted,
  called: string,
): Problem[] {
  const problems: Problem[] = [];
  const { replica } = wordsOf(facts);
  const number = (...names: readonly string[]): number =>
    Math.max(0, ...names.map((name) => Number(variables.get(name) ?? 0)));
  const keeps = [...'replica_preserve_commit_order slave_preserve_commit_order'.split(' ')].some((name) =>
    ['ON', '1'].includes(variables.get(name)?.toUpperCase() ?? ''),
  );
  const threads = Math.max(workers, number('replica_parallel_workers', 'slave_parallel_workers'));
  if (facts.server.flavor === 'mysql' && threads > 1 && !keeps) {
    problems.push({
      code: 'LHM_BINLOG_ORDER',
      message: `${called} applies changes on ${threads} threads and does not keep their order.`,
      hint: `There: STOP ${replica}; SET GLOBAL replica_preserve_commit_order = ON; START ${replica};`,
    });
  }
  if (number('slave_parallel_threads') > 0 && source.domainsApart && domains > 1) {
    problems.push({
      code: 'LHM_BINLOG_ORDER',
      message: `${called} applies changes of several domains (gtid_domain_id) side by side, and the primary has ${domains}: their order is not kept.`,
      hint: `There: STOP ${replica}; SET GLOBAL slave_parallel_threads = 0; START ${replica}; or, if the others are of the past, on the primary: FLUSH BINARY LOGS DELETE_DOMAIN_ID = (…).`,
    });
  }
  // Only what takes part in a transaction keeps its place.
  if (engine !== null && engine.toUpperCase() !== 'INNODB') {
    problems.push({
      code: 'LHM_REPLICA_UNFIT',
      message: `${called} has the table in ${engine}, where changes come in no certain order.`,
      hint: `There: SET SESSION sql_log_bin = 0; ALTER TABLE ${qualified(schema, table)} ENGINE = InnoDB; or name another replica.`,
    });
  }
  return problems;
}

/** Nothing of what comes is left out. */
function completenessProblems(
  { variables, ...facts }: LinkFacts,
  { filters }: ReplicaStatus,
  { schema, tables }: Wanted,
  called: string,
): Problem[] {
  const problems: Problem[] = [];
  const { replica } = wordsOf(facts);
  for (const table of tables) {
    const filter = filterAgainst(filters, schema, table);
    if (filter === null) continue;
    problems.push({
      code: 'LHM_REPLICA_UNFIT',
      message: `${called} leaves out changes by a filter (${filter}), which may be those of '${schema}.${table}'.`,
      hint: `Take it away there (CHANGE REPLICATION FILTER; on MariaDB SET GLOBAL ${filter.toLowerCase()}, or where it is started), or name another replica.`,
    });
    break;
  }
  const expected = [
    ['replica_exec_mode', 'STRICT'],
    ['slave_exec_mode', 'STRICT'],
    ['replica_skip_errors', 'OFF'],
    ['slave_skip_errors', 'OFF'],
    ['replicate_events_marked_for_skip', 'REPLICATE'],
  ] as const;
  const wrong = expected.find(([name, fine]) => (variables.get(name)?.toUpperCase() ?? fine) !== fine);
  if (wrong !== undefined) {
    const [name, fine] = wrong;
    problems.push({
      code: 'LHM_REPLICA_UNFIT',
      message: `${called} passes over changes (${name} = ${variables.get(name)}), which are then not in its log.`,
      hint: name.endsWith('skip_errors')
        ? `Start it without ${name}, or name another replica.`
        : `There: STOP ${replica}; SET GLOBAL ${name} = '${fine}'; START ${replica};`,
    });
  }
  return problems;
}
