import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { createTwins, differences, type Query, type TwinTables } from '../support/foreign-keys/twin-tables';
import { writeTwins, type Seen } from '../support/foreign-keys/twin-writers';
import type { RunningServer } from '../support/servers';
import type { Application, Verdict } from './application';
import { shutdowns, type CyclePlan } from './plan';
import { tablesOf, type Relations } from './relations';

/** Rows and errors of each kind that are told. */
const MOST_TOLD = 10;

/** A table with keys in either direction, and with triggers: each of its tables must end as its twin that nobody migrates. */
export class TwinApplication implements Application {
  private readonly tables: TwinTables;
  private writers: { stop: () => Promise<Seen> } | null = null;
  private belongings = '';

  constructor(
    private readonly server: RunningServer,
    private readonly database: string,
    private readonly plan: CyclePlan,
    relations: Relations,
  ) {
    this.tables = tablesOf(relations, plan.workload.rows);
  }

  async prepare(): Promise<void> {
    const sql = await this.connect();
    try {
      await sql.query(`CREATE DATABASE ${this.database}`);
      await sql.query(`USE ${this.database}`);
      const query = queryOf(sql);
      await createTwins(query, this.tables);
      await query(`ANALYZE TABLE ${Object.keys(this.tables.compared).join(', ')}`);
      this.belongings = await this.readBelongings(query);
    } finally {
      sql.destroy();
    }
  }

  async start(): Promise<void> {
    this.writers = await writeTwins(this.tables, {
      ...{ writers: this.plan.workload.writers ?? 4, seed: this.plan.seed, schema: this.database },
      // By its schema a connection is known as one of the migration.
      ...{ connect: () => this.connect(), lostConnections: 'expected' },
      shutdowns: shutdowns(this.plan),
    });
  }

  async stop(): Promise<Verdict> {
    const seen = await this.writers?.stop();
    const sql = await this.connect(this.database);
    try {
      const query = queryOf(sql);
      const problems = (seen?.wrong ?? []).slice(0, MOST_TOLD).map((wrong) => `not as the twin: ${wrong}`);
      for (const [table, { invented, lost }] of Object.entries(await differences(query, this.tables))) {
        const told = (rows: string[]): string => `${rows.length} ${rows.slice(0, MOST_TOLD).join(' ')}`;
        problems.push(`${table}: invented ${told(invented)}, lost ${told(lost)}`);
      }
      const now = await this.readBelongings(query);
      if (now !== this.belongings)
        problems.push(`keys and triggers are\n${now}\n    and were\n${this.belongings}`);
      let rows = 0;
      for (const table of Object.keys(this.tables.compared))
        rows += Number(((await query(`SELECT COUNT(*) AS n FROM ${table}`)) as { n: number }[])[0]?.n);
      return { transactions: seen?.committed ?? 0, rows, problems };
    } finally {
      sql.destroy();
    }
  }

  /** Foreign keys and triggers of all tables, as the server tells them. */
  private async readBelongings(query: Query): Promise<string> {
    const lines: string[] = [];
    for (const table of Object.keys(this.tables.compared)) {
      const [shown] = (await query(`SHOW CREATE TABLE ${table}`)) as { 'Create Table': string }[];
      const keys = (shown?.['Create Table'] ?? '').split('\n').filter((line) => line.includes('FOREIGN KEY'));
      lines.push(...keys.map((line) => `${table}: ${line.trim().replace(/,$/, '')}`).sort());
    }
    const triggers = await query(
      `SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, ACTION_STATEMENT, DEFINER
         FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '${this.database}' ORDER BY 1`,
    );
    return [...lines, ...triggers.map((trigger) => JSON.stringify(trigger))].join('\n');
  }

  private async connect(database?: string): Promise<Connection> {
    const named = database === undefined ? {} : { database };
    const sql = await createConnection({ ...this.server.connection, ...named, connectTimeout: 10_000 });
    sql.on('error', () => undefined);
    return sql;
  }
}

function queryOf(sql: Connection): Query {
  return async (text) => (await sql.query<RowDataPacket[]>(text))[0];
}
