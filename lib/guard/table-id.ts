import { innodbName } from '../database/innodb-name';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import type { TableName } from '../schema/identifier';

export interface TableIdReader {
  readonly server: ServerCapabilities;
  readonly name: TableName;
}

/**
 * InnoDB's id of the table, which TRUNCATE changes, with the number of its INSTANT changes where the server counts
 * them: a column that is dropped and added again leaves the same definition. null where the account may not see them
 * (it takes PROCESS).
 */
export async function readTableId(session: Session, { server, name }: TableIdReader): Promise<string | null> {
  const view = server.flavor === 'mariadb' ? 'INNODB_SYS_TABLES' : 'INNODB_TABLES';
  try {
    const rows = await session.query<{ TABLE_ID: string; TOTAL_ROW_VERSIONS?: string }>(
      `SELECT * FROM information_schema.${view} WHERE NAME = ? OR NAME LIKE ? ORDER BY TABLE_ID`,
      [innodbName(name), `${like(innodbName(name))}#%`],
    );
    if (rows.length === 0) return null;
    return rows.map((row) => `${row.TABLE_ID}:${row.TOTAL_ROW_VERSIONS ?? ''}`).join(',');
  } catch {
    return null;
  }
}

function like(name: string): string {
  return name.replace(/[\\_%]/g, '\\$&');
}
