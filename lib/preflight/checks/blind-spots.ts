import type { Check } from '../check';

/** Without PROCESS the account cannot see some of what would make a migration lose rows. */
export const blindSpots: Check = ({ grants, grantee, options }) => {
  if (options.blindSpots === 'accept' || grants === null || grants.hasGlobal('PROCESS')) return [];
  return [
    {
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The account ${grantee} lacks PROCESS. Without it the migration would not see foreign keys that lead here from schemas hidden to the account, a TRUNCATE by somebody else, writes that arrive by replication, and transactions with an older read view.`,
      hint: `GRANT PROCESS ON *.* TO ${grantee}; or, if none of that can happen to this table, say so with blindSpots: 'accept'.`,
    },
  ];
};
