import type { Session } from '../database/session';
import type { TableName } from '../schema/identifier';
import type { Token } from '../schema/sql-tokens';
import { isWord } from '../schema/token-cursor';
import type { TableTrigger } from './table-trigger';
import { readTriggerText } from './trigger-text';

/**
 * The tables that triggers name, which LOCK TABLES locks along with theirs. Those that a routine uses which they call
 * are locked as well, but not found.
 */
export async function usedTables(
  session: Session,
  schema: string,
  triggers: readonly TableTrigger[],
): Promise<TableName[]> {
  const named = new Map<string, TableName>();
  for (const trigger of triggers) {
    const tokens = readTriggerText(trigger.definition, trigger.sqlMode)?.tokens ?? [];
    for (const [i, token] of tokens.entries()) {
      if (!isName(token)) continue;
      const qualified = tokens[i + 2];
      const name =
        isWord(tokens[i + 1], '.') && qualified !== undefined
          ? { schema: token.value, table: qualified.value }
          : { schema, table: token.value };
      named.set(JSON.stringify(name), name);
    }
  }
  const found: TableName[] = [];
  for (const one of new Set([...named.values()].map((name) => name.schema))) {
    const tables = [...named.values()].filter((name) => name.schema === one).map(({ table }) => table);
    const rows = await session.query<{ name: string }>(
      "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) AND TABLE_TYPE = 'BASE TABLE'",
      [one, tables],
    );
    found.push(...rows.map(({ name }) => ({ schema: one, table: name })));
  }
  return found;
}

function isName({ kind }: Token): boolean {
  return kind === 'word' || kind === 'quoted';
}
