import type { Session } from '../database/session';
import { innodbNamePattern } from '../database/innodb-name';
import type { ServerCapabilities } from '../database/server-capabilities';
import { errorNumber } from '../database/server-error';
import { qualified } from '../database/sql';
import type { TableName } from './identifier';
import type { Column, ForeignKey, Index, IndexPart, TableSchema, TriggerFacts } from './table-schema';

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

async function readIndexes(session: Session, { schema, table }: TableName): Promise<Index[]> {
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
export async function readTriggers(session: Session, { schema, table }: TableName): Promise<TriggerFacts[]> {
  return session.query<TriggerFacts>(
    `/*M! SET STATEMENT sql_mode = '' FOR */ SELECT TRIGGER_NAME AS name, ACTION_TIMING AS timing, EVENT_MANIPULATION AS event, ACTION_STATEMENT AS body,
            CAST(CREATED AS CHAR) AS created
       FROM information_schema.TRIGGERS
      WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ? ORDER BY TRIGGER_NAME`,
    [schema, table],
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

/** Foreign keys in either direction; with PROCESS also those from schemas that the account may not use. */
export async function readForeignKeys(
  session: Session,
  { schema, table }: TableName,
  server: ServerCapabilities,
): Promise<ForeignKey[]> {
  const rows = await session.query<{ name: string; cs: string; ct: string; ps: string; pt: string }>(
    `SELECT DISTINCT CONSTRAINT_NAME AS name, TABLE_SCHEMA AS cs, TABLE_NAME AS ct,
            REFERENCED_TABLE_SCHEMA AS ps, REFERENCED_TABLE_NAME AS pt
       FROM information_schema.KEY_COLUMN_USAGE
      WHERE REFERENCED_TABLE_NAME IS NOT NULL
        AND ((TABLE_SCHEMA = ? AND TABLE_NAME = ?) OR (REFERENCED_TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME = ?))`,
    [schema, table, schema, table],
  );
  const visible = rows.map((row) => ({
    name: row.name,
    child: `${row.cs}.${row.ct}`,
    parent: `${row.ps}.${row.pt}`,
  }));
  return visible.length > 0 ? visible : hiddenForeignKeys(session, { schema, table }, server);
}

/** From InnoDB's own list, which asks for PROCESS and then shows everything. */
async function hiddenForeignKeys(
  session: Session,
  name: TableName,
  server: ServerCapabilities,
): Promise<ForeignKey[]> {
  const view = server.flavor === 'mariadb' ? 'INNODB_SYS_FOREIGN' : 'INNODB_FOREIGN';
  const [setting] = await session.query<{ folds: number }>('SELECT @@GLOBAL.lower_case_table_names AS folds');
  const flags = Number(setting?.folds) === 0 ? '' : 'i';
  const filed = new RegExp(`^${innodbNamePattern(name)}$`, flags);
  const plain = `${name.schema}/${name.table}`;
  const isOurs = (one: string): boolean => one === plain || filed.test(one);
  try {
    const all = await session.query<{ ID: string; FOR_NAME: string; REF_NAME: string }>(
      `SELECT * FROM information_schema.${view}`,
    );
    const rows = all.filter((row) => isOurs(row.FOR_NAME) || isOurs(row.REF_NAME));
    const readable = (one: string): string => one.replace('/', '.');
    return rows.map((row) => ({
      name: row.ID.split('/').at(-1) ?? row.ID,
      child: readable(row.FOR_NAME),
      parent: readable(row.REF_NAME),
    }));
  } catch (error) {
    if (errorNumber(error) === ACCESS_DENIED) return [];
    throw error;
  }
}

/** PROCESS is missing; whether that is accepted is the preflight's business. */
const ACCESS_DENIED = 1227;

/** Which of the names exist in the schema, and as what (`BASE TABLE`, `VIEW`, `SEQUENCE` …). */
export async function readTableTypes(
  session: Session,
  schema: string,
  names: readonly string[],
): Promise<Map<string, { type: string; engine: string | null; comment: string; createOptions: string }>> {
  const rows = await session.query<{
    name: string;
    type: string;
    engine: string | null;
    comment: string;
    createOptions: string | null;
  }>(
    `SELECT TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine, TABLE_COMMENT AS comment,
            CREATE_OPTIONS AS createOptions
       FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?)`,
    [schema, names],
  );
  return new Map(rows.map((row) => [row.name, { ...row, createOptions: row.createOptions ?? '' }]));
}
