import type { Knex } from 'knex';
import type { Database } from '../database/database';
import { nameOnServer } from '../database/knex-names';
import type { TableName } from './identifier';
import { readTableTypes } from './read-table-schema';

/**
 * The table that the caller means, who may name it as in his Knex: `userEmails` for `user_emails` where a
 * `wrapIdentifier` maps one to the other. Where there is no table of the name it is mapped to, it is taken as it stands.
 */
export async function calledTable(knex: Knex, database: Database, name: TableName): Promise<TableName> {
  const table = nameOnServer(knex, name.table);
  const schema = name.schema === database.schema ? name.schema : nameOnServer(knex, name.schema);
  if (table === name.table && schema === name.schema) return name;
  const session = await database.open('names');
  try {
    for (const candidate of [schema, name.schema]) {
      const found = await readTableTypes(session, candidate, [table]);
      if (found.has(table)) return { schema: candidate, table, called: name.table };
    }
  } finally {
    await session.close();
  }
  return name;
}
