import type { ServerCapabilities } from './server-capabilities';
import type { Session } from './session';
import { clock } from '../util/clock';

/** A transaction that has, or may have, a read view which outlives its current statement. */
export interface OpenView {
  /** What tells it from the connection's next transaction. */
  readonly key: string;
  readonly connection: number;
  readonly ageSeconds: number;
  /** Why it is not known what is open, so that something must be taken to be. Then the rest says nothing. */
  readonly unseen?: string;
}

/**
 * The read views that are open at some moment after the call began. Needs the PROCESS privilege; rejects with
 * 1227 without it.
 *
 * @param own connections to leave out
 * @param withinMs for how long another look is taken at a list that may be out of date
 */
export async function openReadViews(
  session: Session,
  server: ServerCapabilities,
  own: readonly number[],
  withinMs = FRESH_WITHIN_MS,
): Promise<OpenView[]> {
  const views =
    server.flavor === 'mariadb' ? await fromInnodbStatus(session) : await fromInnodbTrx(session, withinMs);
  return views.filter((view) => !own.includes(view.connection));
}

/** Leaves out what connections have open that use another database than the table's. */
export async function usingDatabase(
  session: Session,
  schema: string,
  views: readonly OpenView[],
): Promise<OpenView[]> {
  if (views.length === 0) return [];
  const rows = await session.query<{ Id: number | string; db: string | null }>('SHOW PROCESSLIST');
  const others = new Set(rows.filter(({ db }) => db !== null && db !== schema).map(({ Id }) => Number(Id)));
  return views.filter((view) => !others.has(view.connection));
}

/** MariaDB tells of every open view, whatever the isolation level, and its report is made on the spot. */
async function fromInnodbStatus(session: Session): Promise<OpenView[]> {
  const [row] = await session.query<{ Status: string }>('SHOW ENGINE INNODB STATUS');
  return parseInnodbStatus(row?.Status ?? '');
}

export function parseInnodbStatus(status: string): OpenView[] {
  const views: OpenView[] = [];
  // A report over 1 MB lacks its middle: what is not seen must be taken to be there.
  if (/\.\.\. truncated\.\.\./.test(status))
    views.push(unseen('the report of InnoDB is too long, and is cut'));
  const [, list = ''] = status.split('LIST OF TRANSACTIONS FOR EACH SESSION:');
  for (const block of list.split('---TRANSACTION ').slice(1)) {
    const view = /Trx read view will not see trx with id >= (\d+), sees < (\d+)/.exec(block);
    if (view === null) continue;
    const connection = /^\w+ thread id (\d+),/m.exec(block)?.[1] ?? '0';
    const age = /ACTIVE (?:\([^)]*\) )?(\d+) sec/.exec(block)?.[1] ?? '0';
    const transaction = /^\S+/.exec(block)?.[0] ?? '';
    views.push({
      key: `${connection} ${transaction} ${view[1] ?? ''} ${view[2] ?? ''}`,
      connection: Number(connection),
      ageSeconds: Number(age),
    });
  }
  return views;
}

function unseen(why: string): OpenView {
  return { key: 'unseen', connection: 0, ageSeconds: 0, unseen: why };
}

/** How long a cache that others keep from being renewed is looked at before it is given up on. */
const FRESH_WITHIN_MS = 6000;

/** Above 100 ms, or our own reading would keep the cache from being renewed; the rest lets two that ask at once part. */
const IDLE_MS = 105;

/** However little time there is: the first may find what somebody else has only just looked at. */
const LEAST_LOOKS = 3;

const READ_TOO_OFTEN =
  'somebody reads information_schema.INNODB_TRX so often that the server does not renew it';

let nonce = 0;

/**
 * MySQL's list is a cache that is renewed only when nobody has read it for 100 ms. It is known to be fresh when it
 * shows this very query, which it does because the session has a transaction of its own open.
 */
async function fromInnodbTrx(session: Session, withinMs: number): Promise<OpenView[]> {
  const until = clock.monotonic() + withinMs;
  await session.execute('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await session.execute('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  try {
    for (let look = 1; ; look++) {
      const mark = `lhm ${session.id} ${++nonce}`;
      // READ COMMITTED and READ UNCOMMITTED take a new view with each statement, which holds its tables meanwhile.
      const rows = await session.query<{
        id: string;
        started: string;
        age: string | number;
        connection: string | number;
        query: string | null;
      }>(
        `SELECT /* ${mark} */ CAST(trx_id AS CHAR) AS id, CAST(trx_started AS CHAR) AS started,
                trx_mysql_thread_id AS connection, TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS age, trx_query AS query
           FROM information_schema.INNODB_TRX
          WHERE trx_isolation_level NOT IN ('READ COMMITTED', 'READ UNCOMMITTED')`,
      );
      if (rows.some((row) => row.query?.includes(mark))) {
        return rows
          .map((row) => ({
            key: `${row.connection} ${row.id} ${row.started}`,
            connection: Number(row.connection),
            ageSeconds: Math.max(0, Number(row.age)),
          }))
          .filter((view) => view.connection !== session.id);
      }
      const pauseMs = IDLE_MS + Math.random() * 100;
      if (look >= LEAST_LOOKS && clock.monotonic() + pauseMs > until) return [unseen(READ_TOO_OFTEN)];
      await clock.sleep(pauseMs);
    }
  } finally {
    if (!session.lost) await session.execute('COMMIT');
  }
}
