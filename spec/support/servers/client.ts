import { createConnection, type Connection as Client, type RowDataPacket } from 'mysql2/promise';

import type { Connection } from './types';

export type Row = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly version: string;
  readonly datadir: string;
}

/** Runs `work` on a connection of its own. */
export async function withClient<T>(
  connection: Connection,
  work: (client: Client) => Promise<T>,
  connectTimeout = 10_000,
): Promise<T> {
  const client = await createConnection({ ...connection, connectTimeout });
  // An `error` event without a listener would end the whole process.
  client.on('error', () => undefined);
  try {
    const result = await work(client);
    // With a goodbye, or the server's log fills with warnings.
    await client.end();
    return result;
  } finally {
    client.destroy();
  }
}

export async function select(client: Client, sql: string, values: readonly unknown[] = []): Promise<Row[]> {
  const [rows] = await client.query<RowDataPacket[]>(sql, [...values]);
  return rows;
}

/** Asks who is there. */
export function ask(connection: Connection, connectTimeout?: number): Promise<Answer> {
  return withClient(
    connection,
    async (client) => {
      const [row] = await select(client, 'SELECT VERSION() AS version, @@datadir AS datadir');
      return row as unknown as Answer;
    },
    connectTimeout,
  );
}

export const serverVersion = async (connection: Connection): Promise<string> =>
  (await ask(connection)).version;
