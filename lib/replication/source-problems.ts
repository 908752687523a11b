import { binlogFilters } from '../binlog/binlog-position';
import type { Database } from '../database/database';
import { grantee, readGrants } from '../database/grants';
import { errorNumber, messageOf } from '../database/server-error';
import type { Session } from '../database/session';
import type { Problem } from '../errors';
import { readLink, type LinkFacts } from './link-facts';
import { linkProblems, type Wanted } from './link-problems';

/** The server that is written to. */
export interface Primary {
  readonly identity: string;
  readonly flavor: 'mysql' | 'mariadb';
  readonly serverId: number;
  /** Null on MariaDB. */
  readonly uuid: string | null;
}

/** Servers between the primary and the replica that is read, at most; also the end of a ring. */
const MOST_LINKS = 8;

const CALLED = 'binlog.source';

const ACCESS_DENIED = 1227;

/**
 * What keeps a replica's log from standing in for the primary's. The replica may follow the primary by way of others: each of
 * them is asked, under the account of the first, because each may leave something out or change the order.
 */
export async function sourceProblems(
  source: Database,
  session: Session,
  primary: Primary,
  wanted: Wanted,
): Promise<Problem[]> {
  const denied = await missingPrivileges(source, session);
  if (denied.length > 0) return denied;
  const opened: Database[] = [];
  try {
    let facts = await readLink(session, source.server, wanted);
    let called = `${CALLED} (${facts.name})`;
    if (facts.identity === primary.identity) {
      return [unfit(`${called} is the server that is migrated.`, 'Leave binlog.source out.')];
    }
    for (let link = 1; ; link++) {
      const problems = await problemsOf(facts, session, primary, wanted, called);
      const [status] = facts.status;
      if (problems.length > 0 || status === undefined) return problems;
      const { host, port, uuid, serverId } = status.source;
      const sameId = serverId === primary.serverId;
      if (primary.uuid !== null && uuid === primary.uuid) return [];
      const above = await readAbove(source, host, port, wanted, opened);
      // Ids are given once in a replication, though another one may have the same: then no mark will come back.
      if (above instanceof Error && sameId && primary.uuid === null) return [];
      if (above instanceof Error) {
        // It was asked before, and may be away for a moment.
        if (!wanted.running) return [];
        return [
          unfit(
            `${called} follows ${host}:${port}, which is not the server that is migrated and cannot be asked whether it follows that: ${messageOf(above)}`,
            'Name a replica that follows it directly, or let the account of binlog.source ask that server as well.',
          ),
        ];
      }
      if (above.facts.identity === primary.identity) return [];
      if (above.facts.status.length === 0 || link === MOST_LINKS) return [notOurs(called, host, port)];
      ({ facts, session } = above);
      called = `The server ${host}:${port}, which ${CALLED} follows,`;
      await wanted.above?.(session, facts.identity, called);
    }
  } catch (error) {
    if (errorNumber(error) !== ACCESS_DENIED) throw error;
    return [
      {
        code: 'LHM_MISSING_PRIVILEGE',
        message: `The account of binlog.source may not ask for the state of the replication: ${messageOf(error)}`,
        hint: grantHint(await grantee(session), privilegesOf(source)),
      },
    ];
  } finally {
    for (const database of opened) await database.close();
  }
}

async function problemsOf(
  facts: LinkFacts,
  session: Session,
  { flavor }: Primary,
  wanted: Wanted,
  called: string,
): Promise<Problem[]> {
  const { server } = facts;
  if (server.flavor !== flavor)
    return [unfit(`${called} is ${server.version}.`, 'Name a replica of the same kind of server.')];
  const problems = linkProblems(facts, wanted, called);
  if (problems.some(({ code }) => code === 'LHM_BINLOG_OFF')) return problems;
  const { only, ignored } = await binlogFilters(session);
  if (ignored.includes(wanted.schema) || (only.length > 0 && !only.includes(wanted.schema))) {
    problems.push({
      code: 'LHM_BINLOG_OFF',
      message: `${called} keeps changes of '${wanted.schema}' out of its binary log (binlog_do_db, binlog_ignore_db).`,
      hint: 'Start it without them, or name another replica.',
    });
  }
  return problems;
}

async function readAbove(
  source: Database,
  host: string,
  port: number,
  wanted: Wanted,
  opened: Database[],
): Promise<{ facts: LinkFacts; session: Session } | Error> {
  try {
    const database = await source.elsewhere(host, port);
    opened.push(database);
    const session = await database.open('upstream');
    return { facts: await readLink(session, database.server, wanted), session };
  } catch (error) {
    return error as Error;
  }
}

function notOurs(called: string, host: string, port: number): Problem {
  return unfit(
    `${called} follows ${host}:${port}, and so does not get what is written to the server that is migrated.`,
    'Name a replica of the server that the Knex leads to.',
  );
}

function unfit(message: string, hint: string): Problem {
  return { code: 'LHM_REPLICA_UNFIT', message, hint };
}

function privilegesOf({ server }: Database): string[] {
  return server.flavor === 'mariadb'
    ? ['REPLICATION SLAVE', 'BINLOG MONITOR', 'REPLICA MONITOR']
    : ['REPLICATION SLAVE', 'REPLICATION CLIENT'];
}

async function missingPrivileges(source: Database, session: Session): Promise<Problem[]> {
  const grants = await readGrants(session);
  const missing = privilegesOf(source).filter((name) => grants !== null && !grants.hasGlobal(name));
  if (missing.length === 0) return [];
  const account = await grantee(session);
  return [
    {
      code: 'LHM_MISSING_PRIVILEGE',
      message: `The account ${account} of binlog.source may not read its binary log: it lacks ${missing.join(', ')}.`,
      hint: grantHint(account, missing),
    },
  ];
}

function grantHint(account: string, privileges: readonly string[]): string {
  return `GRANT ${privileges.join(', ')} ON *.* TO ${account};`;
}
