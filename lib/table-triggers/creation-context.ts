import type { Session } from '../database/session';
import { id, text } from '../database/sql';
import { sendable } from './sendable';
import type { CreationContext } from './table-trigger';

interface Settings {
  readonly mode: string;
  readonly charset: string;
  readonly collation: string;
  readonly schemaName: string | null;
}

/**
 * Runs statements as the session that created a trigger would: under its sql_mode, its character set (in which the
 * driver then sends them) and its collation, with the schema as the current one. The session is given back as it was.
 *
 * @param run gets the function by which a trigger is created
 */
export async function asCreated<T>(
  session: Session,
  schema: string,
  context: CreationContext,
  run: (create: (sql: string) => Promise<void>) => Promise<T>,
): Promise<T> {
  const [own] = await session.query<Settings>(
    'SELECT @@SESSION.sql_mode AS mode, @@SESSION.character_set_client AS charset,' +
      ' @@SESSION.collation_connection AS collation, DATABASE() AS schemaName',
  );
  if (own === undefined) throw new Error('the server did not answer SELECT @@SESSION.sql_mode');
  try {
    if (own.schemaName !== schema) await session.execute(`USE ${id(schema)}`);
    await session.execute(assignments(context.sqlMode, context.charset, context.collation));
    return await run(async (sql) => {
      await session.execute(sendable(sql, context.charset));
    });
  } finally {
    if (!session.lost) {
      await session.execute(assignments(own.mode, own.charset, own.collation));
      if (own.schemaName !== null && own.schemaName !== schema)
        await session.execute(`USE ${id(own.schemaName)}`);
    }
  }
}

/** Runs of neighbours that are created under the same settings: what is done under a lock is done in few statements. */
export function inContext<T extends CreationContext>(triggers: readonly T[]): (readonly [T, ...T[]])[] {
  const runs: [T, ...T[]][] = [];
  for (const trigger of triggers) {
    const last = runs.at(-1);
    if (last !== undefined && isSame(last[0], trigger)) last.push(trigger);
    else runs.push([trigger]);
  }
  return runs;
}

function isSame(one: CreationContext, other: CreationContext): boolean {
  return one.sqlMode === other.sqlMode && one.charset === other.charset && one.collation === other.collation;
}

function assignments(mode: string, charset: string, collation: string): string {
  return `SET SESSION sql_mode = ${text(mode)}, SESSION character_set_client = ${charset}, SESSION collation_connection = ${collation}`;
}
