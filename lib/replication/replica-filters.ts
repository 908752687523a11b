import { likeExpression } from '../util/like-pattern';

/** What a replica is told to apply, and to leave out. */
export interface ReplicaFilters {
  readonly doDb: readonly string[];
  readonly ignoreDb: readonly string[];
  /** `schema.table` */
  readonly doTable: readonly string[];
  readonly ignoreTable: readonly string[];
  /** With % and _ for any characters, and a backslash that takes that away. */
  readonly wildDoTable: readonly string[];
  readonly wildIgnoreTable: readonly string[];
  /** Filters of other kinds that are in use, by their names. */
  readonly others: readonly string[];
}

/** The filter that keeps rows of the table out, or may; null where none does. In any letter case, so rather one too many. */
export function filterAgainst(filters: ReplicaFilters, schema: string, table: string): string | null {
  const [other] = filters.others;
  if (other !== undefined) return other;
  const has = (list: readonly string[], name: string): boolean =>
    list.some((one) => one.toLowerCase() === name.toLowerCase());
  if (filters.doDb.length > 0) {
    if (!has(filters.doDb, schema)) return 'Replicate_Do_DB';
  } else if (has(filters.ignoreDb, schema)) return 'Replicate_Ignore_DB';
  const full = `${schema}.${table}`;
  const matched = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => likeExpression(pattern, 'isu').test(full));
  if (has(filters.doTable, full)) return null;
  if (has(filters.ignoreTable, full)) return 'Replicate_Ignore_Table';
  if (matched(filters.wildDoTable)) return null;
  if (matched(filters.wildIgnoreTable)) return 'Replicate_Wild_Ignore_Table';
  if (filters.doTable.length > 0) return 'Replicate_Do_Table';
  return filters.wildDoTable.length > 0 ? 'Replicate_Wild_Do_Table' : null;
}
