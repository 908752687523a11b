import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { ForeignKey } from '../schema/foreign-key';
import type { TableName } from '../schema/identifier';
import type { KeyNote } from './key-note';

/** Values named for each key. */
const MOST_NAMED = 5;

/**
 * Rows that have no parent under keys that were away while nobody held the table: where a run broke off between the change
 * of the keys and the RENAME, the application could write such. They stay as they are, and are told.
 *
 * @returns a sentence for each key with such rows
 */
export async function writtenWithoutParent(session: Session, note: KeyNote): Promise<string[]> {
  if (!note.begun || !note.dropsFirst) return [];
  const origin = { schema: note.schema, table: note.origin };
  const keys = [
    ...note.own.map((key) => ({ child: origin, key })),
    ...note.children.map(({ child, key }) => ({ child, key })),
  ];
  const found: string[] = [];
  for (const { child, key } of keys) {
    const values = await orphans(session, child, key).catch(() => []);
    if (values.length === 0) continue;
    const more = values.length === MOST_NAMED ? ' …' : '';
    found.push(
      `rows of '${child.schema}.${child.table}' have no parent under '${key.name}': ${key.columns.join(', ')} = ${values.join('; ')}${more}`,
    );
  }
  return found;
}

async function orphans(session: Session, child: TableName, key: ForeignKey): Promise<string[]> {
  const column = (name: string): string => `hadron_child.${id(name)}`;
  const values = key.columns.map((name) => `CAST(${column(name)} AS CHAR)`);
  const same = key.parentColumns.map(
    (name, i) => `hadron_parent.${id(name)} = ${column(key.columns[i] ?? '')}`,
  );
  const filled = key.columns.map((name) => `${column(name)} IS NOT NULL`);
  const rows = await session.query<{ shown: string }>(
    `SELECT DISTINCT CONCAT_WS(', ', ${values.join(', ')}) AS shown FROM ${qualified(child.schema, child.table)} AS hadron_child` +
      ` LEFT JOIN ${qualified(key.parent.schema, key.parent.table)} AS hadron_parent ON ${same.join(' AND ')}` +
      ` WHERE ${filled.join(' AND ')} AND LENGTH(hadron_parent.${id(key.parentColumns[0] ?? '')}) IS NULL LIMIT ${MOST_NAMED}`,
  );
  return rows.map(({ shown }) => shown);
}
