import type { Session } from '../database/session';
import { qualified } from '../database/sql';
import { readNotOverlooked } from '../database/whole-read';
import type { TableName } from '../schema/identifier';
import type { TableTrigger } from './table-trigger';

interface Listed {
  readonly name: string;
  readonly timing: string;
  readonly event: string;
  readonly definer: string;
  readonly databaseCollation: string;
  readonly created: string;
}

/**
 * The table's triggers, ours left out, in an order in which they can be created one after another: those of the same
 * time and event as they fire.
 */
export async function readTableTriggers(
  session: Session,
  { schema, table }: TableName,
  ours: readonly string[],
): Promise<TableTrigger[]> {
  // Under a sql_mode of its own, as `readTriggers`.
  const rows = await readNotOverlooked(session, { schema, table }, () =>
    session.query<Listed>(
      `/*M! SET STATEMENT sql_mode = '' FOR */ SELECT TRIGGER_NAME AS name, ACTION_TIMING AS timing,
            EVENT_MANIPULATION AS event, DEFINER AS definer, DATABASE_COLLATION AS databaseCollation,
            CAST(CREATED AS CHAR) AS created
       FROM information_schema.TRIGGERS
      WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?
      ORDER BY EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER`,
      [schema, table],
    ),
  );
  const listed = rows.filter(({ name }) => !ours.includes(name));
  const triggers: TableTrigger[] = [];
  for (const name of inOrder(listed)) {
    const own = listed.filter((row) => row.name === name);
    const [facts] = own;
    const [shown] = await session.query<Record<string, string>>(
      `SHOW CREATE TRIGGER ${qualified(schema, name)}`,
    );
    if (facts === undefined || shown === undefined) continue;
    triggers.push({
      name,
      when: own.map(({ timing, event }) => `${timing} ${event}`),
      definer: facts.definer,
      sqlMode: shown['sql_mode'] ?? '',
      charset: shown['character_set_client'] ?? '',
      collation: shown['collation_connection'] ?? '',
      databaseCollation: facts.databaseCollation,
      definition: shown['SQL Original Statement'] ?? '',
      created: facts.created,
    });
  }
  return triggers;
}

/**
 * Every name once. A trigger that serves several events stands in several lists: it comes when all that fire before it
 * in any of them have come.
 */
export function inOrder(rows: readonly Pick<Listed, 'name' | 'timing' | 'event'>[]): string[] {
  const order: string[] = [];
  let left = [...rows];
  while (left.length > 0) {
    const ready = left.find(({ name }) =>
      left
        .filter((row) => row.name === name)
        .every(
          (row) => left.find(({ timing, event }) => timing === row.timing && event === row.event) === row,
        ),
    );
    const name = (ready ?? left[0])?.name ?? '';
    order.push(name);
    left = left.filter((row) => row.name !== name);
  }
  return order;
}
