import type { ErrorCode, Problem } from '../../errors';
import { isOn, type Check } from '../check';

/** Version, read-only, statement-based logging, clusters with several writers. */
export const serverIsFit: Check = ({ server, variables, options }) => {
  const problems: Problem[] = [];
  const add = (code: ErrorCode, message: string, hint: string): void => {
    problems.push({ code, message, hint });
  };
  const is = (name: string, ...values: string[]): boolean =>
    values.includes(variables.get(name)?.toUpperCase() ?? '');
  if (!server.supported) {
    add(
      'LHM_UNSUPPORTED_SERVER',
      `The server is ${server.version}.`,
      'MySQL 8.0.13 or newer, or MariaDB 10.5 or newer, is needed.',
    );
  }
  const onReplica = options.replica !== null;
  // What else a replica is read-only for is another check's.
  for (const name of [...(onReplica ? [] : ['read_only']), 'super_read_only', 'innodb_read_only']) {
    if (isOn(variables, name)) {
      add(
        'LHM_READ_ONLY',
        `The server is read-only (${name} is ON).`,
        onReplica
          ? `SET GLOBAL ${name} = OFF; and run again.`
          : 'Connect to the primary; replicas get the change by replication.',
      );
      break;
    }
  }
  if (isOn(variables, 'log_bin') && is('binlog_format', 'STATEMENT')) {
    add(
      'LHM_BINLOG_FORMAT',
      'binlog_format is STATEMENT, under which the copy would not be replicated as it happened.',
      "Set it to ROW: SET GLOBAL binlog_format = 'ROW'; connections opened from then on use it.",
    );
  }
  if (isOn(variables, 'wsrep_on')) {
    add(
      'LHM_CLUSTER',
      'The server is a Galera node: table locks do not reach the other nodes, whose writes would be lost.',
      'Use a native ALTER TABLE (total order isolation) or the rolling schema upgrade.',
    );
  }
  if (
    is('group_replication_single_primary_mode', 'OFF', '0') &&
    variables.get('group_replication_group_name')
  ) {
    add(
      'LHM_CLUSTER',
      'The server is a member of a multi-primary group: table locks do not reach the other members.',
      'Switch the group to single-primary mode for the migration.',
    );
  }
  return problems;
};
