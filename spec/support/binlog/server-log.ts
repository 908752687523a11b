import type { Flavor } from '../servers';

/** Whoever asks a server. */
interface Asker {
  query<R>(sql: string): Promise<R[]>;
}

/** Where the server's binary log ends now. */
export async function endOfLog(asker: Asker, flavor: Flavor): Promise<{ File: string; Position: number }> {
  const status = flavor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
  const [place] = await asker.query<{ File: string; Position: number }>(status);
  if (place === undefined) throw new Error('the server logs nothing');
  return place;
}

/** Connections that are sent the server's binary log. */
export async function logReaders(asker: Asker): Promise<number[]> {
  const list = await asker.query<{ Id: number; Command: string }>('SHOW PROCESSLIST');
  return list.filter(({ Command }) => Command.startsWith('Binlog Dump')).map(({ Id }) => Id);
}

/** No such thread. */
const GONE = 1094;

/** One that ends by itself meanwhile has ended, too. @returns how many there were */
export async function killLogReaders(asker: Asker): Promise<number> {
  const readers = await logReaders(asker);
  for (const id of readers) {
    await asker.query(`KILL ${id}`).catch((error: unknown) => {
      if ((error as { errno?: number }).errno !== GONE) throw error;
    });
  }
  return readers.length;
}
