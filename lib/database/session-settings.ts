import type { ServerCapabilities } from './server-capabilities';
import { text } from './sql';

/** Without it no row is found by a key like 2024-02-31, which a table may hold. */
const INVALID_DATES = 'ALLOW_INVALID_DATES';

/**
 * Strict, so that a conversion that loses data is an error; without NO_ZERO_DATE and NO_ZERO_IN_DATE, and with
 * ALLOW_INVALID_DATES, so that dates the table already holds can be found and copied; with NO_AUTO_VALUE_ON_ZERO, so that id 0 stays 0; with backslash
 * escapes and without ANSI_QUOTES, because the library's own SQL is written that way.
 */
export const OWN_SQL_MODE =
  'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,ALLOW_INVALID_DATES';

/** How long a session waits for a metadata lock, where nothing else is set. */
export const LOCK_WAIT_SECONDS = 10;

/** How long a session may be idle, the server's own default. */
export const IDLE_SECONDS = 28_800;

/** Modes of the caller's that change what an expression or a rounded value is; the library's own SQL bears them. */
const MEANING = new Set([
  ...['PIPES_AS_CONCAT', 'IGNORE_SPACE', 'HIGH_NOT_PRECEDENCE', 'NO_UNSIGNED_SUBTRACTION'],
  ...['TIME_TRUNCATE_FRACTIONAL', 'TIME_ROUND_FRACTIONAL', 'PAD_CHAR_TO_FULL_LENGTH'],
]);

const ZEROS = new Set(['NO_ZERO_DATE', 'NO_ZERO_IN_DATE']);

/** How dates are looked at: `found` that are part of the key, `made` by a conversion. */
export interface Dates {
  readonly found: boolean;
  readonly made: boolean;
}

/**
 * The sql_mode under which rows are copied: expressions and conversions come out as in a statement of the caller's.
 *
 * @param lossy without strictness, for those who mean it when a conversion loses data
 * @param dates where any are made by a conversion, the caller's rules about zeros and invalid ones hold
 */
export function copySqlMode(callers: string, lossy: boolean, dates: Dates): string {
  const given = callers.split(',');
  const invalid = given.includes(INVALID_DATES) || (dates.found && !dates.made);
  const own = OWN_SQL_MODE.split(',').filter(
    (own) => !(lossy && own.startsWith('STRICT_')) && (own !== INVALID_DATES || invalid),
  );
  return [...own, ...given.filter((mode) => MEANING.has(mode) || (dates.made && ZEROS.has(mode)))].join(',');
}

/**
 * The session values the library needs, whatever the server's global ones are: servers are run with
 * `wait_timeout` 5, `lock_wait_timeout` 1, `autocommit` 0 and worse. `optional` ones may be refused to an unprivileged
 * account; the server's own value is then lived with.
 *
 * @param more assignments that are to be made along with them
 */
export function sessionSettings(
  server: ServerCapabilities,
  timeZone: string,
  more: readonly string[] = [],
): { required: string[]; optional: string[] } {
  const settings: Record<string, string | number> = {
    autocommit: 1,
    sql_mode: `'${OWN_SQL_MODE}'`,
    time_zone: text(timeZone),
    wait_timeout: IDLE_SECONDS,
    interactive_timeout: IDLE_SECONDS,
    net_read_timeout: 600,
    net_write_timeout: 600,
    innodb_lock_wait_timeout: 10,
    lock_wait_timeout: LOCK_WAIT_SECONDS,
    completion_type: 0,
    sql_safe_updates: 0,
    // DEFAULT would be the server's global value, under which a list of columns may be cut short.
    sql_select_limit: '18446744073709551615',
    sql_big_selects: 1,
    sql_auto_is_null: 0,
    foreign_key_checks: 1,
    unique_checks: 1,
    sql_quote_show_create: 1,
    group_concat_max_len: 1_048_576,
    [server.statementTimeoutVariable]: 0,
    ...(server.flavor === 'mariadb'
      ? {
          // With 0 no warning can be asked for, and one is all that tells of a table that was left out.
          max_error_count: 64,
          idle_transaction_timeout: 0,
          idle_write_transaction_timeout: 0,
          idle_readonly_transaction_timeout: 0,
        }
      : {}),
  };
  const assignments = Object.entries(settings).map(([name, value]) => `SESSION ${name} = ${value}`);
  return {
    required: [
      'SET NAMES utf8mb4',
      `SET ${[...more, ...assignments].join(', ')}`,
      'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE',
    ],
    optional:
      server.flavor === 'mysql'
        ? [
            'SET SESSION sql_require_primary_key = 0',
            // A generated key that is not shown would be left out of the clone.
            'SET SESSION show_gipk_in_create_table_and_information_schema = ON',
            'SET SESSION sql_generate_invisible_primary_key = 0',
            // What is not part of the origin's definition would become part of the clone's.
            'SET SESSION show_create_table_verbosity = 0',
            // Beyond it a long list of keys would be looked for in the whole table.
            'SET SESSION range_optimizer_max_mem_size = 0',
            'SET SESSION max_error_count = 64',
          ]
        : [
            "SET SESSION alter_algorithm = 'DEFAULT'",
            // A long list of keys would become a table of its own, joined by whatever its values are taken for.
            'SET SESSION in_predicate_conversion_threshold = 0',
          ],
  };
}
