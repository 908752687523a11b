import type { Knex } from 'knex';
import type { createConnection, Connection as Driver } from 'mysql2';
import { createConnection as connectPromised } from 'mysql2/promise';
import type { Connection } from './servers';

/** Kills the library's connections, or what they are doing, again and again. */
export interface Harasser {
  /** Puts itself between the library and the driver, to know which connections are the library's. */
  watch(knex: Knex): void;
  start(): void;
  /** Resolves with how often it killed something. */
  stop(): Promise<number>;
}

/**
 * @param everyMs the shortest pause between two kills; the longest is twice that
 * @param among of so many connections, those opened last, one is killed
 */
export function createHarasser(
  connection: Connection,
  everyMs: number,
  random: () => number,
  among = 3,
): Harasser {
  const theirs: Driver[] = [];
  let over = false;
  let kills = 0;
  let running: Promise<void> | undefined;

  async function harass(): Promise<void> {
    const sql = await connectPromised(connection);
    try {
      while (!over) {
        const open = theirs.filter(({ threadId }) => threadId > 0).slice(-among);
        const victim = open[Math.floor(random() * open.length)];
        if (victim !== undefined) {
          const what = random() < 0.5 ? 'KILL' : 'KILL QUERY';
          const killed = await sql.query(`${what} ${victim.threadId}`).then(
            () => true,
            () => false,
          );
          if (killed) kills += 1;
        }
        await new Promise((resolve) => setTimeout(resolve, everyMs * (1 + random())));
      }
    } finally {
      await sql.end();
    }
  }

  return {
    watch(knex) {
      const client = knex.client as { driver: { createConnection: typeof createConnection } };
      const { driver } = client;
      client.driver = {
        createConnection: ((options: object) => {
          const made = driver.createConnection(options);
          theirs.push(made);
          return made;
        }) as typeof createConnection,
      };
    },
    start() {
      running ??= harass();
    },
    async stop() {
      over = true;
      await running;
      return kills;
    },
  };
}
