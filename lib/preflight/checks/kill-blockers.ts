import type { Problem } from '../../errors';
import type { Check } from '../check';

/** What `cutOver.killBlockers` needs: to see who holds the table, and to be allowed to end their connections. */
export const killBlockers: Check = async ({ options, server, session, grants, grantee }) => {
  if (!options.cutOver.killBlockers) return [];
  const problems: Problem[] = [];
  const kill = server.flavor === 'mariadb' ? 'CONNECTION ADMIN' : 'CONNECTION_ADMIN';
  const missing = grants === null || grants.hasGlobal('SUPER') || grants.hasGlobal(kill) ? [] : [kill];
  if (grants?.hasGlobal('PROCESS') === false) missing.push('PROCESS');
  if (missing.length > 0) {
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `cutOver.killBlockers takes ${missing.join(' and ')}, which the account ${grantee} lacks.`,
      hint: `GRANT ${missing.join(', ')} ON *.* TO ${grantee}; or leave cutOver.killBlockers out.`,
    });
  }
  try {
    const sql =
      "SELECT ENABLED AS enabled FROM performance_schema.setup_instruments WHERE NAME = 'wait/lock/metadata/sql/mdl'";
    const [row] = await session.query<{ enabled: string }>(sql);
    // Some table must be open to be listed at all, so what counts is that it may be read.
    await session.query('SELECT COUNT(*) FROM performance_schema.metadata_locks');
    await session.query('SELECT COUNT(*) FROM performance_schema.threads');
    if (row?.enabled !== 'YES') {
      problems.push({
        code: 'LHM_UNSUPPORTED_OPTION',
        message:
          'cutOver.killBlockers cannot see who holds the table: the server does not watch metadata locks.',
        hint: "Start the server with performance_schema=ON and performance_schema_instrument='wait/lock/metadata/sql/mdl=ON', or leave cutOver.killBlockers out.",
      });
    }
  } catch {
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `cutOver.killBlockers cannot see who holds the table: the account ${grantee} may not read performance_schema.`,
      hint: `GRANT SELECT ON performance_schema.* TO ${grantee}; or leave cutOver.killBlockers out.`,
    });
  }
  return problems;
};
