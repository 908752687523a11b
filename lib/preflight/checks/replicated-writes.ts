import { hasReplicatedWrites } from '../../database/process-list';
import type { Check } from '../check';

/** Row events of another server fire no triggers here, and need not be in this one's own binary log. */
export const replicatedWrites: Check = async ({ session, server, options: { mode, replica } }) => {
  if (replica !== null) return [];
  if (!(await hasReplicatedWrites(session, server, mode === 'triggers'))) return [];
  if (mode === 'binlog') {
    return [
      {
        code: 'LHM_REPLICATED_WRITES',
        message:
          "The server is a replica: it applies changes of another one, which with mode: 'binlog' are not captured.",
        hint: 'Give the Knex of the primary, the server that the application writes to; replicas get the change by replication. Or stop the replication of this one for the time (STOP REPLICA; on MariaDB STOP SLAVE).',
      },
    ];
  }
  return [
    {
      code: 'LHM_REPLICATED_WRITES',
      message: 'The server applies changes of another one, and what is replicated by row fires no triggers.',
      hint: 'Migrate on the server that the application writes to, or stop the replication of this one for the time (STOP REPLICA); on MariaDB slave_run_triggers_for_rbr = YES will do.',
    },
  ];
};
