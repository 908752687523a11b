import { LET_IT_GO_FIRST, writersMayGoFirst } from '../../database/lock-turns';
import type { Problem } from '../../errors';
import type { Check } from '../check';

/** What was asked of the cut-over, the server must be able to do. */
export const cutOverOptions: Check = ({ options, server, grants, grantee, variables }) => {
  const problems: Problem[] = [];
  const { strategy, oldReadViews } = options.cutOver;
  if (strategy === 'rename-under-lock' && !server.renameUnderLock) {
    problems.push({
      code: 'LHM_UNSUPPORTED_OPTION',
      message: `cutOver.strategy 'rename-under-lock' is not possible on ${server.version}.`,
      hint: "Leave it out, or use 'sentry'.",
    });
  }
  const late = writersMayGoFirst(variables.get('max_write_lock_count'));
  // Elsewhere whoever holds the lock renames.
  const reliesOnTurn = strategy === 'sentry' || (!server.renameUnderLock && strategy !== 'two-step');
  if (late !== null && reliesOnTurn) {
    problems.push({
      code: 'LHM_LIMIT_TOO_SMALL',
      message: `${late}, and what they write would stay in the old table.`,
      hint: `${LET_IT_GO_FIRST}; ${server.renameUnderLock ? 'or leave cutOver.strategy out' : "or use cutOver.strategy 'two-step'"}.`,
    });
  }
  if (strategy === 'rename-then-replay' && grants?.hasGlobal('PROCESS') === false) {
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `cutOver.strategy 'rename-then-replay' takes the PROCESS privilege, which the account ${grantee} lacks: without it nobody sees whether the new table was truncated before the swap was complete.`,
      hint: `GRANT PROCESS ON *.* TO ${grantee}; or leave cutOver.strategy out.`,
    });
  }
  if (oldReadViews === 'error' && !server.instantDropColumn) {
    problems.push({
      code: 'LHM_UNSUPPORTED_OPTION',
      message: `cutOver.oldReadViews 'error' is not possible on ${server.version}.`,
      hint: "Leave it out, or use 'wait'.",
    });
  }
  const waits = oldReadViews === 'wait' || (oldReadViews === undefined && !server.instantDropColumn);
  // Otherwise PROCESS is asked for anyway.
  if (options.blindSpots === 'accept' && waits && grants !== null && !grants.hasGlobal('PROCESS')) {
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message:
        'Waiting for transactions with an older read view takes the PROCESS privilege, which the account lacks; without it such a transaction could read wrong rows right after the swap.',
      hint: `GRANT PROCESS ON *.* TO ${grantee}; or accept the risk with cutOver: { oldReadViews: 'ignore' } (only REPEATABLE READ transactions that are open at the swap and first touch the table after it are concerned).`,
    });
  }
  return problems;
};
