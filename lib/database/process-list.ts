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

/** Whether a state is that of a statement queued for a table's metadata lock. */
export function waitsForTable(state: string | undefined): boolean {
  return /^Waiting for table metadata lock/i.test(state ?? '');
}
