import type { Database } from '../database/database';
import { grantee, readGrants } from '../database/grants';
import type { ServerCapabilities } from '../database/server-capabilities';
import { areTriggersUnreadable } from '../database/server-error';
import type { Session } from '../database/session';
import { Refusal, type Problem } from '../errors';
import type { ResolvedOptions } from '../options/options';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import { readTableSchema, readTableTypes } from '../schema/read-table-schema';
import type { TableSchema } from '../schema/table-schema';
import type { Check, CheckContext, Variables } from './check';
import { binlog } from './checks/binlog';
import { binlogSource } from './checks/binlog-source';
import { blindSpots } from './checks/blind-spots';
import { checkNames } from './checks/check-names';
import { chunkKey } from './checks/chunk-key';
import { cutOverOptions } from './checks/cut-over-options';
import { engine } from './checks/engine';
import { flagFiles } from './checks/flag-files';
import { foreignKeys } from './checks/foreign-keys';
import { killBlockers } from './checks/kill-blockers';
import { namesAreFree } from './checks/names';
import { onReplica } from './checks/on-replica';
import { privileges } from './checks/privileges';
import { replicatedWrites } from './checks/replicated-writes';
import { serverIsFit } from './checks/server';
import { tableExists } from './checks/table-exists';
import { triggers } from './checks/triggers';

const CHECKS: readonly Check[] = [
  tableExists,
  engine,
  chunkKey,
  foreignKeys,
  triggers,
  namesAreFree,
  checkNames,
  serverIsFit,
  binlog,
  binlogSource,
  privileges,
  blindSpots,
  replicatedWrites,
  onReplica,
  cutOverOptions,
  flagFiles,
  killBlockers,
];

const VARIABLES = [
  ...['read_only', 'super_read_only', 'innodb_read_only', 'log_bin', 'binlog_format'],
  ...['binlog_order_commits', 'binlog_row_image'],
  ...['log_slave_updates', 'log_replica_updates'],
  ...['log_bin_trust_function_creators', 'wsrep_on', 'max_write_lock_count'],
  ...['group_replication_single_primary_mode', 'group_replication_group_name'],
];

export interface PreflightInput {
  readonly session: Session;
  readonly server: ServerCapabilities;
  readonly name: TableName;
  readonly names: DerivedNames;
  readonly options: ResolvedOptions;
  /** The replica whose binary log is to be read; null for the server's own. */
  readonly source: Database | null;
}

export interface Findings {
  readonly problems: readonly Problem[];
  /** The table's definition as it is now; null where there is none to read. */
  readonly table: TableSchema | null;
  /** Why it could not be read. */
  readonly unreadable: Error | null;
}

/** Runs every check, and reports all problems at once. */
export async function inspect(input: PreflightInput): Promise<Findings> {
  const { session, name } = input;
  const found = (await readTableTypes(session, name.schema, [name.table])).get(name.table) ?? null;
  const { table, unreadable } =
    found?.type === 'BASE TABLE' ? await tryToRead(session, name) : { table: null, unreadable: null };
  const context: CheckContext = {
    ...input,
    found,
    table,
    grants: await readGrants(session),
    grantee: await grantee(session),
    variables: await readVariables(session),
  };
  const problems: Problem[] = [];
  for (const check of CHECKS) problems.push(...(await check(context)));
  return { problems, table, unreadable };
}

/**
 * The same before anything is created.
 *
 * @returns the table's definition as it is now
 * @throws Refusal with the code of the only problem, or LHM_PREFLIGHT with all of them
 */
export async function preflight(input: PreflightInput): Promise<TableSchema> {
  const findings = await inspect(input);
  refuse(findings.problems);
  return findings.table ?? refuseUnreadable(findings);
}

/** @throws what stands in the way of a table whose definition could not be read */
export function refuseUnreadable({ problems, unreadable }: Findings): never {
  refuse(problems);
  throw unreadable ?? new Error('the table has no definition that the account may read');
}

/** Most likely a privilege is missing when it cannot be read, which is then reported with everything else that is. */
async function tryToRead(
  session: Session,
  name: TableName,
): Promise<{ table: TableSchema | null; unreadable: Error | null }> {
  try {
    return { table: await readTableSchema(session, name), unreadable: null };
  } catch (error) {
    if (areTriggersUnreadable(error)) throw error;
    return { table: null, unreadable: error as Error };
  }
}

/** @throws Refusal when there is any problem */
export function refuse(problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  if (problems.length === 1) throw new Refusal(first.code, first.message, first.hint, { problems });
  throw new Refusal(
    'LHM_PREFLIGHT',
    problems.map(({ code, message }) => `${code}: ${message}`).join('\n'),
    problems.map(({ hint }) => hint).join('\n'),
    { problems },
  );
}

async function readVariables(session: Session): Promise<Variables> {
  const rows = await session.query<{ Variable_name: string; Value: string }>(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (?)`,
    [VARIABLES],
  );
  return new Map(rows.map((row) => [row.Variable_name.toLowerCase(), row.Value]));
}
