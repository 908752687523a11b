import type { Database } from '../database/database';
import type { Grants } from '../database/grants';
import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import type { Problem } from '../errors';
import type { ResolvedOptions } from '../options/options';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import type { TableSchema } from '../schema/table-schema';

/** Server variables that matter, in lower case; absent ones are ones this server does not have. */
export type Variables = ReadonlyMap<string, string>;

/** Whether a switch is on. */
export function isOn(variables: Variables, name: string): boolean {
  return ['ON', '1'].includes(variables.get(name)?.toUpperCase() ?? '');
}

/** What the checks look at: read once, before anything is created. */
export interface CheckContext {
  readonly session: Session;
  readonly server: ServerCapabilities;
  readonly name: TableName;
  readonly names: DerivedNames;
  readonly options: ResolvedOptions;
  /** The replica whose binary log is to be read; null for the server's own. */
  readonly source: Database | null;
  /** null where they cannot be read. */
  readonly grants: Grants | null;
  /** The account, as GRANT names it. */
  readonly grantee: string;
  readonly variables: Variables;
  /** What bears the table's name; null when nothing does. */
  readonly found: {
    readonly type: string;
    readonly engine: string | null;
    readonly createOptions: string;
  } | null;
  /** null when it is not a base table. */
  readonly table: TableSchema | null;
}

/** Looks at one thing and reports what is wrong with it. */
export type Check = (context: CheckContext) => Problem[] | Promise<Problem[]>;

/** A check that needs the table's definition. */
export function ofTable(
  check: (table: TableSchema, context: CheckContext) => Problem[] | Promise<Problem[]>,
): Check {
  return (context) => (context.table === null ? [] : check(context.table, context));
}
