import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { readNotOverlooked, wholeRead } from '../database/whole-read';
import type { TableName } from './identifier';
import type { Column, Index, IndexPart, TableSchema, TriggerFacts } from './table-schema';

/** Reads a table's definition. The table must exist and be a base table. */
export async function readTableSchema(session: Session, name: TableName): Promise<TableSchema> {
  const createSql = await showCreateTable(session, name);
  const columns = await readColumns(session, name);
  const indexes = await readIndexes(session, name);
  return { ...name, createSql, columns, indexes };
}

export async function showCreateTable(session: Session, { schema, table }: TableName): Promise<string> {
  const [row] = await session.query<Record<string, string>>(`SHOW CREATE TABLE ${qualified(schema, table)}`);
  return row?.['Create Table'] ?? '';
}

/** SHOW, because information_schema knows nothing of temporary tables. */
async function readColumns(session: Session, { schema, table }: TableName): Promise<Column[]> {
  const rows = await session.query<Record<string, string | null>>(
    `SHOW FULL COLUMNS FROM ${qualified(schema, table)}`,
  );
  return rows.map((row) => {
    const type = row['Type'] ?? '';
    const collation = row['Collation'] ?? null;
    const extra = row['Extra'] ?? '';
    return {
      name: row['Field'] ?? '',
      columnType: type,
      dataType: (/^\w+/.exec(type)?.[0] ?? '').toLowerCase(),
      // Every collation's name begins with its character set's.
      charset: collation === null ? null : (collation.split('_')[0] ?? null),
      collation,
      nullable: row['Null'] === 'YES',
      generated: /\b(VIRTUAL|STORED|PERSISTENT) GENERATED\b/i.test(extra),
      default: row['Default'] ?? null,
      extra,
    };
  });
}

export async function readIndexes(session: Session, { schema, table }: TableName): Promise<Index[]> {
  const rows = await session.query<Record<string, string | null>>(
    `SHOW INDEX FROM ${qualified(schema, table)}`,
  );
  const indexes = new Map<string, Omit<Index, 'parts'> & { parts: IndexPart[] }>();
  for (const row of rows) {
    const name = String(row['Key_name']);
    let index = indexes.get(name);
    if (index === undefined) {
      index = {
        name,
        unique: Number(row['Non_unique']) === 0,
        type: String(row['Index_type']),
        hidden: row['Visible'] === 'NO' || row['Ignored'] === 'YES',
        parts: [],
      };
      indexes.set(name, index);
    }
    index.parts.push({
      column: row['Column_name'] ?? null,
      expression: row['Expression'] ?? null,
      prefix: row['Sub_part'] == null ? null : Number(row['Sub_part']),
      descending: row['Collation'] === 'D',
    });
  }
  return [...indexes.values()];
}

/**
 * On MariaDB under a sql_mode of its own: TIME_ROUND_FRACTIONAL makes another moment of the one when they were created, and
 * not every session has it.
 */
export async function readTriggers(session: Session, name: TableName): Promise<TriggerFacts[]> {
  return readNotOverlooked(session, name, () =>
    session.query<TriggerFacts>(
      `/*M! SET STATEMENT sql_mode = '' FOR */ SELECT TRIGGER_NAME AS name, ACTION_TIMING AS timing, EVENT_MANIPULATION AS event, ACTION_STATEMENT AS body,
            CAST(CREATED AS CHAR) AS created
       FROM information_schema.TRIGGERS
      WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME`,
      [name.schema, name.table],
    ),
  );
}

/** Names of all CHECK constraints in the schema, where they are unique in it. */
export async function readCheckNames(
  session: Session,
  schema: string,
  server: ServerCapabilities,
): Promise<string[]> {
  if (!server.checkNamesAreGlobal) return [];
  const rows = await session.query<{ name: string }>(
    'SELECT CONSTRAINT_NAME AS name FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ?',
    [schema],
  );
  return rows.map(({ name }) => name);
}

/** Which of the names exist in the schema, and as what (`BASE TABLE`, `VIEW`, `SEQUENCE` …). */
export async function readTableTypes(
  session: Session,
  schema: string,
  names: readonly string[],
): Promise<Map<string, { type: string; engine: string | null; comment: string; createOptions: string }>> {
  // MariaDB gives the reason why a table could not be opened as its comment, which else tells a sentry from an old table.
  const rows = await wholeRead<{
    name: string;
    type: string;
    engine: string | null;
    comment: string;
    createOptions: string | null;
  }>(
    session,
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_COMMENT AS comment,
            CREATE_OPTIONS AS createOptions
       FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?)`,
    [schema, names],
  );
  return new Map(rows.map((row) => [row.name, { ...row, createOptions: row.createOptions ?? '' }]));
}
