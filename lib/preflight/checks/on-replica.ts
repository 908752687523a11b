import { errorNumber } from '../../database/server-error';
import type { Problem } from '../../errors';
import { replicaStatus } from '../../replication/replica-status';
import { isOn, type Check } from '../check';

const ACCESS_DENIED = 1227;

/** What a replica that is migrated itself must be. What it gets need not be complete or in order: what it has, is copied. */
export const onReplica: Check = async ({ session, server, options, grants, grantee, variables }) => {
  if (options.replica === null) return [];
  const problems: Problem[] = [];
  const mariadb = server.flavor === 'mariadb';
  try {
    if ((await replicaStatus(session, server)).length === 0) {
      problems.push({
        code: 'LHM_REPLICA_UNFIT',
        message: `The server is no replica, and replica: '${options.replica}' is for one.`,
        hint: 'Leave replica out, or give the Knex of a replica.',
      });
    }
  } catch (error) {
    if (errorNumber(error) !== ACCESS_DENIED) throw error;
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The account ${grantee} may not ask for the state of the replication.`,
      hint: `GRANT ${mariadb ? 'REPLICA MONITOR' : 'REPLICATION CLIENT'} ON *.* TO ${grantee};`,
    });
  }
  if (!['log_replica_updates', 'log_slave_updates'].some((name) => isOn(variables, name))) {
    problems.push({
      code: 'LHM_BINLOG_OFF',
      message: 'The server does not log what it gets by replication, which would not be captured.',
      hint: 'Start it with log_replica_updates (log_slave_updates), or migrate another replica.',
    });
  }
  const may = mariadb ? 'REPLICATION SLAVE ADMIN' : 'REPLICATION_SLAVE_ADMIN';
  if (
    options.replica === 'test' &&
    grants !== null &&
    ![may, 'SUPER'].some((name) => grants.hasGlobal(name))
  ) {
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The account ${grantee} may not stop the replication.`,
      hint: `GRANT ${may} ON *.* TO ${grantee};`,
    });
  }
  const needed = mariadb ? ['READ_ONLY ADMIN', 'READ ONLY ADMIN'] : ['CONNECTION_ADMIN'];
  if (
    isOn(variables, 'read_only') &&
    grants !== null &&
    ![...needed, 'SUPER'].some((privilege) => grants.hasGlobal(privilege))
  ) {
    problems.push({
      code: 'LHM_READ_ONLY',
      message: `The server is read-only (read_only is ON) to the account ${grantee}.`,
      hint: `GRANT ${needed[0] ?? ''} ON *.* TO ${grantee}; or SET GLOBAL read_only = OFF;`,
    });
  }
  return problems;
};
