import type { ServerCapabilities } from './server-capabilities';
import type { Session } from './session';

/**
 * What connections are doing; without the PROCESS privilege only those of the same account. SHOW, because the view in
 * information_schema fails on MySQL when any connection's statement holds a character beyond the BMP (3854).
 *
 * @returns connection id → state, e.g. `Waiting for table metadata lock`
 */
export async function processStates(session: Session): Promise<ReadonlyMap<number, string>> {
  const rows = await session.query<{ Id: number | string; State: string | null }>('SHOW PROCESSLIST');
  return new Map(rows.map((row) => [Number(row.Id), row.State ?? '']));
}

/** A connection that waits for some table's metadata lock, and its statement. */
export interface WaitingStatement {
  readonly connection: number;
  readonly statement: string;
}

/**
 * Without the PROCESS privilege only those of the same account.
 *
 * @param whole all of the statements, which may be megabytes; otherwise what they begin with
 */
export async function waitingStatements(session: Session, whole: boolean): Promise<WaitingStatement[]> {
  const rows = await session.query<{ Id: number | string; State: string | null; Info: string | null }>(
    whole ? 'SHOW FULL PROCESSLIST' : 'SHOW PROCESSLIST',
  );
  return rows
    .filter(({ State }) => waitsForTable(State ?? ''))
    .map(({ Id, Info }) => ({ connection: Number(Id), statement: Info ?? '' }));
}

/** Whether a state is that of a statement queued for a table's metadata lock. */
export function waitsForTable(state: string | undefined): boolean {
  return /^Waiting for table metadata lock/i.test(state ?? '');
}

/**
 * Whether another server's changes are applied here, and triggers would not tell of them. Seen with the PROCESS privilege
 * only. The primary of a group in single-primary mode gets none, though it has the threads.
 *
 * @param byTriggers whether changes are captured by triggers, which MariaDB may fire for them
 */
export async function hasReplicatedWrites(
  session: Session,
  server: ServerCapabilities,
  byTriggers: boolean,
): Promise<boolean> {
  const rows = await session.query<{ User: string; Command: string }>('SHOW PROCESSLIST');
  const appliers = rows.filter(({ User, Command }) =>
    server.flavor === 'mariadb' ? /^Slave/i.test(Command) : User === 'system user',
  );
  if (appliers.length === 0) return false;
  const variables = await session.query<{ Variable_name: string; Value: string }>(
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('slave_run_triggers_for_rbr', 'group_replication_group_name')",
  );
  return !variables.some(({ Variable_name, Value }) =>
    Variable_name === 'slave_run_triggers_for_rbr' ? byTriggers && Value !== 'NO' : Value !== '',
  );
}
