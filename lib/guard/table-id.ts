import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import type { TableName } from '../schema/identifier';

export interface TableIdReader {
  readonly server: ServerCapabilities;
  readonly name: TableName;
}

/**
 * InnoDB's id of the table, which TRUNCATE changes and nothing else does without changing the definition; null
 * where the account may not see it (it takes PROCESS).
 */
export async function readTableId(session: Session, { server, name }: TableIdReader): Promise<string | null> {
  const view = server.flavor === 'mariadb' ? 'INNODB_SYS_TABLES' : 'INNODB_TABLES';
  try {
    const rows = await session.query<{ id: string }>(
      `SELECT CAST(TABLE_ID AS CHAR) AS id FROM information_schema.${view} WHERE NAME = ? OR NAME LIKE ? ORDER BY 1`,
      [
        `${encode(name.schema)}/${encode(name.table)}`,
        `${like(encode(name.schema))}/${like(encode(name.table))}#%`,
      ],
    );
    return rows.length === 0 ? null : rows.map((row) => row.id).join(',');
  } catch {
    return null;
  }
}

/** A name as InnoDB files it: everything but ASCII letters, digits and _ as @ and four hexadecimal digits. */
function encode(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/gu, (character) => {
    return [...Array(character.length).keys()]
      .map((i) => '@' + character.charCodeAt(i).toString(16).padStart(4, '0'))
      .join('');
  });
}

function like(name: string): string {
  return name.replace(/[\\_%]/g, '\\$&');
}
