import { hasReplicatedWrites } from '../../database/process-list';
import type { Check } from '../check';

/** Row events of another server fire no triggers here. */
export const replicatedWrites: Check = async ({ session, server }) => {
  if (!(await hasReplicatedWrites(session, server))) return [];
  return [
    {
      code: 'LHM_REPLICATED_WRITES',
      message: 'The server applies changes of another one, and what is replicated by row fires no triggers.',
      hint: 'Migrate on the server that the application writes to, or stop the replication of this one for the time (STOP REPLICA); on MariaDB slave_run_triggers_for_rbr = YES will do.',
    },
  ];
};
