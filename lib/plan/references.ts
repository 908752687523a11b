import type { Session } from '../database/session';
import type { PlanReference } from './plan';

/** Where definitions are kept; each needs privileges of its own, and shows what the account may see. */
const SOURCES: readonly (readonly [PlanReference['kind'], string])[] = [
  ['view', 'SELECT TABLE_SCHEMA AS s, TABLE_NAME AS n, VIEW_DEFINITION AS d FROM information_schema.VIEWS'],
  [
    'routine',
    'SELECT ROUTINE_SCHEMA AS s, ROUTINE_NAME AS n, ROUTINE_DEFINITION AS d FROM information_schema.ROUTINES',
  ],
  [
    'event',
    'SELECT EVENT_SCHEMA AS s, EVENT_NAME AS n, EVENT_DEFINITION AS d FROM information_schema.EVENTS',
  ],
  [
    'trigger',
    'SELECT TRIGGER_SCHEMA AS s, TRIGGER_NAME AS n, ACTION_STATEMENT AS d FROM information_schema.TRIGGERS',
  ],
];

const SYSTEM = "('mysql', 'sys', 'information_schema', 'performance_schema')";

/**
 * Views, routines, events and triggers whose text names the table and one of the columns. By words, so one that means
 * another table's column of the same name is listed as well.
 */
export async function references(
  session: Session,
  table: string,
  columns: readonly string[],
): Promise<PlanReference[]> {
  if (columns.length === 0) return [];
  const found: PlanReference[] = [];
  for (const [kind, sql] of SOURCES) {
    const rows = await session.query<{ s: string; n: string; d: string | null }>(
      `SELECT * FROM (${sql}) AS definitions WHERE s NOT IN ${SYSTEM} AND INSTR(LOWER(d), LOWER(?)) > 0`,
      [table],
    );
    for (const { s, n, d } of rows) {
      const named = columns.filter((column) => mentions(d ?? '', column));
      if (mentions(d ?? '', table) && named.length > 0)
        found.push({ kind, name: `${s}.${n}`, columns: named });
    }
  }
  return found;
}

function mentions(text: string, name: string): boolean {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(?<![\\w$])${escaped}(?![\\w$])`, 'i').test(text);
}
