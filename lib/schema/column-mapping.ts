import type { ServerCapabilities } from '../database/server-capabilities';
import { id } from '../database/sql';
import { silentLoss, type SilentLoss } from './silent-loss';
import { tokenize } from './sql-tokens';
import { FLOATING } from './type-families';
import { columnNamed, isCounter, type Column, type TableSchema } from './table-schema';

/** How one column of the ghost gets its value from a row of the origin. */
export interface MappedColumn {
  readonly target: string;
  /** SQL over the origin's columns. */
  readonly expression: string;
  /**
   * How the verification compares it: `bytes`, the very same value; `converted`, by converting the origin's value
   * once more the way the copy did; `none`, where converting twice need not give the same (a value with RAND()).
   */
  readonly comparable: 'bytes' | 'converted' | 'none';
  /** Which values the conversion would change without an error; null where there are none, or that is wanted. */
  readonly loss: SilentLoss | null;
}

export interface ConversionRules {
  /** Values may be changed to fit: a NULL in a NOT NULL column then becomes something else. */
  readonly lossy: boolean;
  readonly server: ServerCapabilities;
}

/**
 * The select list of the copy and of every replayed change.
 *
 * @param mapping origin column → ghost column, renames included
 * @param values ghost column → SQL expression over the origin's columns
 */
export function mapColumns(
  origin: TableSchema,
  ghost: TableSchema,
  mapping: ReadonlyMap<string, string>,
  values: ReadonlyMap<string, string>,
  how: ConversionRules,
): MappedColumn[] {
  const sources = new Map([...mapping].map(([from, to]) => [to.toLowerCase(), from]));
  const mapped: MappedColumn[] = [];
  for (const column of ghost.columns) {
    if (column.generated) continue;
    const value = values.get(column.name.toLowerCase());
    const moment = column.dataType === 'timestamp' && !column.nullable;
    if (value !== undefined) {
      mapped.push({
        target: column.name,
        expression: `(${value})`,
        comparable: isRepeatable(value) ? 'converted' : 'none',
        loss: moment && !how.lossy ? nullBecomesNow(`(${value})`) : null,
      });
      continue;
    }
    const source = sources.get(column.name.toLowerCase());
    const from = source === undefined ? undefined : columnNamed(origin, source);
    if (from !== undefined) {
      const filled = from.nullable && !column.nullable;
      mapped.push({
        target: column.name,
        expression: carried(origin, from, column, how),
        comparable: comparability(from, column, filled && how.lossy),
        loss: how.lossy ? null : lossOf(from, column, `${id(origin.table)}.${id(from.name)}`),
      });
      continue;
    }
    const implicit = implicitDefault(column);
    if (implicit !== null) {
      mapped.push({ target: column.name, expression: implicit, comparable: 'none', loss: null });
    }
  }
  return mapped;
}

function lossOf(from: Column, to: Column, column: string): SilentLoss | null {
  const loss = silentLoss(from, to, column);
  if (to.dataType !== 'timestamp' || to.nullable || !from.nullable) return loss;
  const now = nullBecomesNow(column);
  if (loss === null) return now;
  return { condition: `(${loss.condition}) OR ${now.condition}`, what: `${loss.what}, or ${now.what}` };
}

/**
 * Of a NULL that a TIMESTAMP cannot hold an INSERT makes the present moment, without an error (on MariaDB, and on MySQL with
 * explicit_defaults_for_timestamp off).
 */
function nullBecomesNow(expression: string): SilentLoss {
  return { condition: `${expression} IS NULL`, what: 'NULL, which it cannot hold' };
}

/** @param lossy NULLs become something else: of a TIMESTAMP, the moment of the copy */
function comparability(from: Column, to: Column, lossy: boolean): MappedColumn['comparable'] {
  if (lossy) return to.dataType === 'timestamp' ? 'none' : 'converted';
  return sameStorage(from, to) ? 'bytes' : 'converted';
}

/** These store a length of their own: 1 to 4 bytes of it, by the type. */
const LENGTH_STORED = /^(?:tiny|medium|long)?(?:text|blob)$/;
const STRINGS = /(?:char|text|binary|blob)$/;
/** Not a POINT. */
const INTEGERS = /^(?:tiny|small|medium|big)?int$/;

/**
 * The origin's column, made to convert as a native ALTER would.
 *
 * - MariaDB copies a string from column to column into a shorter TEXT or BLOB without looking: a length of 300
 *   becomes 300 modulo 256, without an error in strict mode. Through a function it does look.
 * - Both servers fit FLOAT and DOUBLE into a string by rounding (1234567.125 → '1.2e6'), and turn a FLOAT into a
 *   DOUBLE first (0.1 → '0.10000000149011612'). CONCAT gives what ALTER gives, and what is too long is an error. So
 *   it is with the YEAR 0000, which would become '0'.
 * - MariaDB rounds a text such as '12.7' when it is stored as an integer, and an ALTER refuses it. What is not a whole
 *   number is made one that is refused.
 */
function carried(origin: TableSchema, from: Column, to: Column, { lossy, server }: ConversionRules): string {
  const column = `${id(origin.table)}.${id(from.name)}`;
  const spelled = FLOATING.has(from.dataType) || from.dataType === 'year';
  if (spelled && STRINGS.test(to.dataType)) return `CONCAT(${column})`;
  if (server.roundsTextToIntegers && !lossy && STRINGS.test(from.dataType) && INTEGERS.test(to.dataType)) {
    return `IF(${column} REGEXP '^[[:space:]]*[-+]?[0-9]+[[:space:]]*$', ${column}, CONCAT(${column}, 'x'))`;
  }
  const unseen =
    LENGTH_STORED.test(to.dataType) && STRINGS.test(from.dataType) && from.dataType !== to.dataType;
  return unseen ? `COALESCE(${column})` : column;
}

function sameStorage(a: Column, b: Column): boolean {
  return a.columnType === b.columnType && a.charset === b.charset && a.collation === b.collation;
}

/** Functions whose second call need not give what the first gave, and subqueries, whose tables may change. */
const UNREPEATABLE =
  /\b(uuid|uuid_short|uuid_v\d|rand|random_bytes|now|sysdate|curdate|curtime|current_\w+|localtime\w*|utc_\w+|unix_timestamp|connection_id|last_insert_id|sleep|select|nextval|next|user|session_user|system_user|sys_guid|row_count|found_rows|encrypt)\b|@/i;

/** Whether an expression reads what was SET in a session, and so means something else in another one. */
export function readsVariables(expression: string): boolean {
  return tokenize(expression).some(({ kind }) => kind === 'variable');
}

function isRepeatable(expression: string): boolean {
  return !UNREPEATABLE.test(expression);
}

const IMPLICIT: ReadonlyMap<string, string> = new Map([
  ...['tinyint', 'smallint', 'mediumint', 'int', 'bigint', 'decimal', 'float', 'double', 'year', 'bit'].map(
    (type) => [type, '0'] as const,
  ),
  ...['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'binary', 'varbinary', 'set'].map(
    (type) => [type, "''"] as const,
  ),
  ...['tinyblob', 'blob', 'mediumblob', 'longblob'].map((type) => [type, "''"] as const),
  ['enum', '1'],
  ['time', "'00:00:00'"],
  ['date', "'0000-00-00'"],
  ['datetime', "'0000-00-00 00:00:00'"],
  ['timestamp', "'0000-00-00 00:00:00'"],
  ['json', "'null'"],
  ['uuid', "'00000000-0000-0000-0000-000000000000'"],
  ['inet4', "'0.0.0.0'"],
  ['inet6', "'::'"],
]);

/**
 * A native ALTER fills a new NOT NULL column that has no default with its type's zero value, while an INSERT that
 * leaves it out is an error in strict mode; so the copy names the zero value. null where it need not.
 */
function implicitDefault(column: Column): string | null {
  if (column.nullable || column.default !== null || isCounter(column)) return null;
  return IMPLICIT.get(column.dataType) ?? null;
}
