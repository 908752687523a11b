import { innodbNamePattern } from '../database/innodb-name';
import { errorNumber, LOCK_WAIT_TIMEOUT } from '../database/server-error';
import { Refusal } from '../errors';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { wholeRead } from '../database/whole-read';
import type { TableName } from '../schema/identifier';
import { clock } from '../util/clock';

export interface TableIdReader {
  readonly server: ServerCapabilities;
  readonly name: TableName;
}

/**
 * InnoDB's id of the table, which TRUNCATE changes, with the number of its INSTANT changes where the server counts
 * them: a column that is dropped and added again leaves the same definition. null where the account may not see them
 * (it takes PROCESS).
 *
 * @throws a lock wait timeout on MySQL, which reads through all tables, while somebody's DDL waits for any of them
 */
export async function readTableId(session: Session, { server, name }: TableIdReader): Promise<string | null> {
  const view = server.flavor === 'mariadb' ? 'INNODB_SYS_TABLES' : 'INNODB_TABLES';
  try {
    // Of a partitioned table every partition is filed, behind a #.
    const [setting] = await session.query<{ folds: number }>(
      'SELECT @@GLOBAL.lower_case_table_names AS folds',
    );
    const pattern = `^${innodbNamePattern(name)}(#.*)?$`;
    const listed = await session.query<{ NAME: string; TABLE_ID: string; TOTAL_ROW_VERSIONS?: string }>(
      `SELECT * FROM information_schema.${view} WHERE NAME REGEXP ? ORDER BY TABLE_ID`,
      [pattern],
    );
    // The server takes no notice of case there.
    const exact = new RegExp(pattern, Number(setting?.folds) === 0 ? '' : 'i');
    const rows = listed.filter(({ NAME }) => exact.test(NAME));
    if (rows.length === 0) throw notFound(name);
    return rows.map((row) => `${row.TABLE_ID}:${row.TOTAL_ROW_VERSIONS ?? ''}`).join(',');
  } catch (error) {
    if (errorNumber(error) === ACCESS_DENIED) return null;
    throw error;
  }
}

/** Of an id as above what no INSTANT change changes. */
export function withoutVersions(id: string): string {
  return id.replace(/:[^,]*/g, '');
}

/** How often, and how many ms apart, a date is read again that the server does not tell. */
const LOOKS = 40;
const BETWEEN_MS = 5;

/**
 * When the definition was made, to the second, which takes no privilege: an ALTER sets it, also one that makes what was
 * there before. (On MariaDB it is all that tells of a column that was dropped and added again, and empty since.)
 *
 * MariaDB tells none, without a warning, while the first of the table's open instances is one that purge has opened, as it
 * does where a virtual column has a key, or a UNIQUE key is over long text. That lasts until somebody else needs it, which
 * under a lock nobody does; what is asked about its keys gives that instance its date.
 *
 * @returns null where the server has none at all
 */
export async function readCreated(session: Session, name: TableName): Promise<string | null> {
  for (let look = 1; ; look++) {
    const created = await readCreatedOnce(session, name);
    if (created !== null || look >= LOOKS) return created;
    if (look > 1) await clock.sleep(BETWEEN_MS);
    await session.query(
      'SELECT MAX(CARDINALITY) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
      [name.schema, name.table],
    );
  }
}

async function readCreatedOnce(session: Session, { schema, table }: TableName): Promise<string | null> {
  const [row] = await wholeRead<{ created: string | null }>(
    session,
    'SELECT CREATE_TIME AS created FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [schema, table],
  );
  return row?.created ?? null;
}

/** Where there was one before: counts as a lock wait timeout, after which it is looked again. */
export class NoDate extends Error {
  readonly errno = LOCK_WAIT_TIMEOUT;
  constructor({ schema, table }: TableName) {
    super(`the server does not tell when '${schema}.${table}' was made`);
  }
}

const ACCESS_DENIED = 1227;

/** Without its id a TRUNCATE would go unnoticed, so this is no reason to go on. */
function notFound({ schema, table }: TableName): Refusal {
  return new Refusal(
    'LHM_ORIGIN_CHANGED',
    `InnoDB does not list the table '${schema}.${table}': it was dropped or renamed by somebody else, or its name is filed in an unknown way.`,
    'Nothing was swapped. If the table is there, please report its name.',
  );
}
