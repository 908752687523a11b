import type { Problem } from '../../errors';
import { isOn, type Check } from '../check';
import { id } from '../../database/sql';

const NEEDED = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'CREATE',
  'DROP',
  'ALTER',
  'INDEX',
  'TRIGGER',
  'LOCK TABLES',
  'CREATE TEMPORARY TABLES',
];

/** Everything the migration does, it must be allowed to do. Where the grants cannot be read, the server will tell. */
export const privileges: Check = ({ grants, grantee, name, variables, options }) => {
  if (grants === null) return [];
  const problems: Problem[] = [];
  // The log is read instead of triggers being made; those of the table's own are another check's.
  const needed = options.mode === 'binlog' ? NEEDED.filter((privilege) => privilege !== 'TRIGGER') : NEEDED;
  const missing = needed.filter((privilege) => !grants.has(privilege, name.schema));
  if (missing.length > 0) {
    const schema = id(name.schema);
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The account ${grantee} lacks ${missing.join(', ')} on '${name.schema}'.`,
      hint: `GRANT ${missing.join(', ')} ON ${schema}.* TO ${grantee};`,
    });
  }
  const logging = isOn(variables, 'log_bin');
  const trusting = isOn(variables, 'log_bin_trust_function_creators');
  // Nothing but SUPER will do, on either server: not SET_ANY_DEFINER, not BINLOG ADMIN.
  if (options.mode === 'triggers' && logging && !trusting && !grants.hasGlobal('SUPER')) {
    problems.push({
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The server writes a binary log, and the account ${grantee} is not trusted to create triggers (error 1419).`,
      hint: 'SET GLOBAL log_bin_trust_function_creators = 1; or let an account with the SUPER privilege migrate.',
    });
  }
  return problems;
};
