import { innodbNamePattern } from '../database/innodb-name';
import type { ServerCapabilities } from '../database/server-capabilities';
import { errorNumber } from '../database/server-error';
import type { Session } from '../database/session';
import { parseForeignKeys, sameTable, type ForeignKey } from './foreign-key';
import { clock } from '../util/clock';
import type { TableName } from './identifier';
import { showCreateTable } from './read-table-schema';

/** A key of another table that leads to the one that is migrated. */
export interface ChildKey {
  readonly child: TableName;
  readonly key: ForeignKey;
}

/** A key that leads to the table from where the account may not look. */
export interface HiddenKey {
  readonly name: string;
  /** `schema.table`, as the server files it. */
  readonly child: string;
}

export interface ChildKeys {
  readonly keys: readonly ChildKey[];
  readonly hidden: readonly HiddenKey[];
}

/** Reads the table's own keys: SHOW CREATE is the truth for names, columns and rules. */
export async function readOwnKeys(session: Session, name: TableName): Promise<ForeignKey[]> {
  return parseForeignKeys(await showCreateTable(session, name), name.schema);
}

/**
 * Every key of another table, in any schema, that leads to this one; with PROCESS also those from schemas that the
 * account may not use, which are returned as hidden.
 */
export async function readChildKeys(
  session: Session,
  name: TableName,
  server: ServerCapabilities,
): Promise<ChildKeys> {
  const rows = await session.query<{ s: string; t: string }>(
    `SELECT DISTINCT TABLE_SCHEMA AS s, TABLE_NAME AS t FROM information_schema.KEY_COLUMN_USAGE
      WHERE REFERENCED_TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME = ? ORDER BY 1, 2`,
    [name.schema, name.table],
  );
  const keys: ChildKey[] = [];
  const hidden: HiddenKey[] = [];
  for (const { s, t } of rows) {
    const child = { schema: s, table: t };
    if (sameTable(child, name)) continue;
    const own = await tryToRead(session, child);
    if (own === null) hidden.push({ name: '', child: `${s}.${t}` });
    for (const key of own ?? []) if (sameTable(key.parent, name)) keys.push({ child, key });
  }
  const listed = await listedKeys(session, name, server);
  const seen = new Set(keys.map(({ key }) => key.name));
  for (const { ID, FOR_NAME } of listed ?? []) {
    const own = nameIn(ID);
    // The names of InnoDB's list are filed in another spelling: what is seen is known by the key's name.
    if (!seen.has(own) && !new RegExp(`^${innodbNamePattern(name)}$`).test(FOR_NAME)) {
      hidden.push({ name: own, child: FOR_NAME.replace('/', '.') });
    }
  }
  return { keys, hidden: hidden.filter(({ child }) => child !== `${name.schema}.${name.table}`) };
}

/** The name after the schema's, which bears no slash as it is filed. */
export function nameIn(listedId: string): string {
  return listedId.slice(listedId.indexOf('/') + 1);
}

/** DDL of somebody on the child is waited for so often. */
const READS = 20;

async function tryToRead(session: Session, child: TableName): Promise<ForeignKey[] | null> {
  for (let read = 1; ; read++) {
    try {
      return await readOwnKeys(session, child);
    } catch (error) {
      if (DENIED.has(errorNumber(error))) return null;
      if (errorNumber(error) === GONE) return [];
      if (errorNumber(error) !== BEING_ALTERED || read >= READS) throw error;
      await clock.sleep(100);
    }
  }
}

const GONE = 1146;

/** Skipped, since its definition is being modified by concurrent DDL. */
const BEING_ALTERED = 1684;

/** SHOW CREATE TABLE asks for some privilege on the table. */
const DENIED = new Set([1142, 1044, 1370]);

/** A row of InnoDB's own list. */
export interface ListedKey {
  readonly ID: string;
  readonly FOR_NAME: string;
  readonly REF_NAME: string;
}

/** The keys that lead to the table by InnoDB's own list, which is quick to read; null without PROCESS. */
export async function listedKeys(
  session: Session,
  name: TableName,
  server: ServerCapabilities,
): Promise<ListedKey[] | null> {
  const view = server.flavor === 'mariadb' ? 'INNODB_SYS_FOREIGN' : 'INNODB_FOREIGN';
  const [setting] = await session.query<{ folds: number }>('SELECT @@GLOBAL.lower_case_table_names AS folds');
  const filed = new RegExp(`^${innodbNamePattern(name)}$`, Number(setting?.folds) === 0 ? '' : 'i');
  const plain = `${name.schema}/${name.table}`;
  try {
    const all = await session.query<ListedKey & Record<string, unknown>>(
      `SELECT ID, FOR_NAME, REF_NAME FROM information_schema.${view}`,
    );
    return all.filter(({ REF_NAME }) => REF_NAME === plain || filed.test(REF_NAME));
  } catch (error) {
    if (errorNumber(error) === ACCESS_DENIED) return null;
    throw error;
  }
}

/** PROCESS is missing; whether that is accepted is the preflight's business. */
const ACCESS_DENIED = 1227;
