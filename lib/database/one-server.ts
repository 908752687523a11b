import { randomUUID } from 'node:crypto';
import { Refusal } from '../errors';
import { text } from './sql';

/**
 * Select list that tells which server and which of its connections answers. MariaDB passes over the comment; on MySQL
 * it tells two servers apart that were made from one image.
 */
export const WHO_ANSWERS =
  'CONNECTION_ID() AS id, ' +
  "CONCAT_WS(' ', @@hostname, @@port, @@server_id, @@datadir/*!80013 , @@server_uuid */) AS server";

/** What {@link WHO_ANSWERS} gives. */
export interface Answerer {
  readonly id: number | string;
  readonly server: string;
}

/** What {@link SessionMark.columns} gives. */
export interface Marked {
  readonly mark: string | null;
  readonly alive: number | string | null;
}

/** Something a session sets when it begins, and must find again. */
export class SessionMark {
  private readonly value = randomUUID();
  /** The session's `lifeLock`. */
  readonly lock = `lhm:${this.value}`;
  /** For a SET. */
  readonly assignment = `@lhm_session = ${text(this.value)}`;
  /** For the select list of {@link check}. */
  readonly columns = `@lhm_session AS mark, GET_LOCK(${text(this.lock)}, 0) AS alive`;

  /** @throws Refusal LHM_NOT_ONE_SERVER */
  check({ mark, alive }: Marked): void {
    if (mark !== this.value) {
      throw notOneServer('What one statement of a session had set, the next one did not find.');
    }
    if (Number(alive) !== 1) throw new Error('the server did not grant a lock that nobody has');
  }
}

/**
 * All sessions of the library must meet the same server, and each of them one and the same connection of it: behind
 * something that spreads connections or statements over servers, rows would be copied here and swapped there. What
 * answers in the server's place with connection ids of its own would also let a KILL hit somebody else.
 */
export class OneServer {
  private first: string | null = null;

  /**
   * @param greeted the connection id of the server's greeting: its lower 32 bits
   * @throws Refusal LHM_NOT_ONE_SERVER
   */
  check(role: string, answerers: readonly Answerer[], greeted: number): void {
    for (const { server } of answerers) {
      this.first ??= server;
      if (server === this.first) continue;
      throw notOneServer(`The session '${role}' met the server (${server}), an earlier one (${this.first}).`);
    }
    for (const { id } of answerers) {
      if (Number(BigInt(id) & 0xffffffffn) === greeted >>> 0) continue;
      throw notOneServer(
        `The connection that was greeted as number ${greeted} is number ${id} to the server that answers.`,
      );
    }
  }
}

function notOneServer(what: string): Refusal {
  return new Refusal(
    'LHM_NOT_ONE_SERVER',
    `${what} Something between the migration and the server spreads connections or statements.`,
    'Point the Knex that migrates at the primary itself, by its own host and port, not at a proxy, pooler or load balancer.',
  );
}
