import type { Connection as Client } from 'mysql2/promise';

import { select, type Row } from '../client';
import type { Dialect } from './dialect';

export interface Position {
  readonly file: string;
  readonly position: number;
}

/** Where the server's own binlog ends. */
export async function binlogEnd(client: Client, { position }: Dialect): Promise<Position> {
  let failure: unknown = new Error('The primary writes no binlog');
  for (const statement of position) {
    try {
      const [row] = await select(client, statement);
      if (row !== undefined) {
        return { file: String(row['File']), position: Number(row['Position']) };
      }
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Why the replica does not go on, or undefined while it may. */
export async function stopped(client: Client, dialect: Dialect): Promise<string | undefined> {
  const [row] = await select(client, dialect.status);
  if (row === undefined) {
    return 'the server is no replica';
  }
  // While the primary is away the state is "Connecting", with an error that passes.
  const halted = (['IO', 'SQL'] as const).filter(
    (thread) => row[`${dialect.replica}_${thread}_Running`] === 'No',
  );
  if (halted.length === 0) {
    return undefined;
  }
  const reasons = halted.map((thread) => `its ${thread} thread has stopped${lastError(row, thread)}`);
  return [...reasons, ...(await workerErrors(client))].join('\n');
}

/** For a message about a wait that was too long. */
export async function lastErrors(client: Client, { status }: Dialect): Promise<string> {
  const [row = {}] = await select(client, status);
  return `${lastError(row, 'IO')}${lastError(row, 'SQL')}`;
}

function lastError(row: Row, thread: 'IO' | 'SQL'): string {
  const number = Number(row[`Last_${thread}_Errno`] ?? 0);
  return number === 0 ? '' : `: error ${number}, ${String(row[`Last_${thread}_Error`])}`;
}

/** With several workers MySQL's status only says that the reason is to be looked up here. */
async function workerErrors(client: Client): Promise<string[]> {
  const rows = await select(
    client,
    `SELECT LAST_ERROR_NUMBER AS number, LAST_ERROR_MESSAGE AS message
       FROM performance_schema.replication_applier_status_by_worker WHERE LAST_ERROR_NUMBER <> 0`,
  ).catch(() => []); // MariaDB's table has other columns, and says nothing that the status does not.
  return rows.map(({ number, message }) => `error ${String(number)}, ${String(message)}`);
}
