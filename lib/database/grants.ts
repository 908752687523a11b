import { likeExpression } from '../util/like-pattern';
import type { Session } from './session';

interface Grant {
  readonly privileges: ReadonlySet<string>;
  /** null for every schema; otherwise the pattern as granted. */
  readonly schema: string | null;
  /** null for every table of the schema. */
  readonly table: string | null;
}

/** What the account may do. */
export class Grants {
  constructor(private readonly grants: readonly Grant[]) {}

  /** Whether the account may do it on every table of the schema: the migration creates tables of its own. */
  has(privilege: string, schema: string): boolean {
    return this.grants.some(
      (grant) =>
        grant.table === null &&
        (grant.schema === null || matches(grant.schema, schema)) &&
        holds(grant, privilege),
    );
  }

  /** Whether the account may do it on this one table. */
  hasOn(privilege: string, schema: string, table: string): boolean {
    return (
      this.has(privilege, schema) ||
      this.grants.some((grant) => grant.schema === schema && grant.table === table && holds(grant, privilege))
    );
  }

  hasGlobal(privilege: string): boolean {
    return this.grants.some((grant) => grant.schema === null && holds(grant, privilege));
  }
}

/** The session's account, as GRANT names it. */
export async function grantee(session: Session): Promise<string> {
  const [row] = await session.query<{ account: string }>('SELECT CURRENT_USER() AS account');
  const account = row?.account ?? '';
  const at = account.lastIndexOf('@');
  return `'${account.slice(0, at)}'@'${account.slice(at + 1)}'`;
}

/** The grants of the session's account, its active roles included; null where they cannot be read. */
export async function readGrants(session: Session): Promise<Grants | null> {
  try {
    const [row] = await session.query<{ role: string | null }>('SELECT CURRENT_ROLE() AS role');
    const role = row?.role;
    // MariaDB shows an active role's grants with the account's own; MySQL wants to be asked for them.
    const using =
      role != null && role !== 'NONE' && role.includes('@') ? ` FOR CURRENT_USER() USING ${role}` : '';
    const rows = await session.query<Record<string, string>>(`SHOW GRANTS${using}`);
    return new Grants(parseGrants(rows.map((line) => Object.values(line)[0] ?? '')));
  } catch {
    return null;
  }
}

export function parseGrants(lines: readonly string[]): Grant[] {
  const grants: Grant[] = [];
  for (const line of lines) {
    const match = /^GRANT (.+?) ON (?:TABLE )?(\S+|`(?:[^`]|``)+`)\.(\S+|`(?:[^`]|``)+`) TO /i.exec(line);
    if (match === null) continue;
    const [, privileges = '', schema = '', table = ''] = match;
    grants.push({
      // A privilege on some columns only does not count.
      privileges: new Set(privileges.split(/,\s*(?![^(]*\))/).map((name) => name.trim().toUpperCase())),
      schema: schema === '*' ? null : unquote(schema),
      table: table === '*' ? null : unquote(table),
    });
  }
  return grants;
}

function holds(grant: Grant, privilege: string): boolean {
  return (
    grant.privileges.has(privilege) || grant.privileges.has('ALL PRIVILEGES') || grant.privileges.has('ALL')
  );
}

function unquote(name: string): string {
  return name.startsWith('`') ? name.slice(1, -1).replaceAll('``', '`') : name;
}

/** Schema names in grants are patterns. */
function matches(pattern: string, schema: string): boolean {
  return likeExpression(pattern).test(schema);
}
