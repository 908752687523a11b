import { blockers } from '../database/blockers';
import type { Database } from '../database/database';
import type { BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';
import type { ProgressTracker } from '../progress/progress-tracker';
import type { TableName } from '../schema/identifier';

/** Younger transactions cannot have been waited for in vain, in seconds. */
const LONG_S = 1;

/** Most that are named. */
const MOST = 3;

/** The same bounded lock, which says in the progress who holds the table while it is waited for. */
export function tellingLock(
  bound: BoundedLock,
  looker: Session,
  database: Database,
  name: TableName,
  progress: ProgressTracker,
): BoundedLock {
  return {
    ...bound,
    pause: async (attempt) => {
      progress.update({ waitingFor: await heldBy(looker, database, name) });
      await bound.pause(attempt);
    },
  };
}

async function heldBy(session: Session, database: Database, { schema, table }: TableName): Promise<string> {
  const lock = `the lock on '${schema}.${table}'`;
  try {
    const found = (await blockers(session, schema, table, database.connections, LONG_S)) ?? [];
    if (found.length === 0) return lock;
    const named = found
      .slice(0, MOST)
      .map(({ connection, seconds }) => `connection ${connection} (${seconds} s)`);
    return `${lock}, which may be held by ${named.join(', ')}`;
  } catch {
    return lock;
  }
}
