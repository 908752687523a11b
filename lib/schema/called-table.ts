import type { Knex } from 'knex';
import type { Database } from '../database/database';
import type { Session } from '../database/session';
import { nameOnServer } from '../database/knex-names';
import type { TableName } from './identifier';
import { readTableTypes } from './read-table-schema';

/**
 * The table that the caller means, as the server spells it.
 *
 * He may name it as in his Knex: `userEmails` for `user_emails` where a `wrapIdentifier` maps one to the other. Where there
 * is no table of the name it is mapped to, it is taken as it stands.
 */
export async function calledTable(knex: Knex, database: Database, name: TableName): Promise<TableName> {
  const table = nameOnServer(knex, name.table);
  const schema = name.schema === database.schema ? name.schema : nameOnServer(knex, name.schema);
  const asGiven = table === name.table && schema === name.schema;
  if (asGiven && !database.foldsTableNames) return name;
  const session = await database.open('names');
  try {
    for (const candidate of asGiven ? [schema] : [schema, name.schema]) {
      const wanted = { schema: candidate, table };
      const found = database.foldsTableNames
        ? await spelled(session, wanted)
        : await exactly(session, wanted);
      if (found !== null) return found.table === name.table ? found : { ...found, called: name.table };
    }
  } finally {
    await session.close();
  }
  return name;
}

async function exactly(session: Session, name: TableName): Promise<TableName | null> {
  return (await readTableTypes(session, name.schema, [name.table])).has(name.table) ? name : null;
}

/** The table whose name is this one but for the case, as the server spells it. */
async function spelled(session: Session, { schema, table }: TableName): Promise<TableName | null> {
  const [row] = await session.query<{ schemaName: string; tableName: string }>(
    `SELECT TABLE_SCHEMA AS schemaName, TABLE_NAME AS tableName FROM information_schema.TABLES
      WHERE LOWER(TABLE_SCHEMA) = LOWER(?) AND LOWER(TABLE_NAME) = LOWER(?)`,
    [schema, table],
  );
  return row === undefined ? null : { schema: row.schemaName, table: row.tableName };
}
