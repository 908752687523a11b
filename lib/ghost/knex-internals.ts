import type { Knex } from 'knex';

/** A statement as Knex hands it to its client. */
export interface KnexQuery {
  sql: string;
  bindings?: readonly unknown[] | undefined;
  /** What the driver returned: set by the client, read by `processResponse`. */
  response?: readonly [unknown, unknown];
}

/** What of a connection Knex itself looks at. */
export interface KnexConnection {
  readonly __knexUid: string;
  /** For Knex's check of the server's version. */
  query(sql: string, callback: (error: unknown, rows?: unknown) => void): void;
}

/** The part of Knex's table builder this library relies on: what was collected so far. */
export interface CollectingTableBuilder {
  _statements: unknown[];
  _single: Record<string, unknown>;
  _queryContext?: unknown;
}

export interface KnexTableCompiler {
  /** Looks for foreign keys that reference the table, to drop and recreate them around a rename. */
  getFKRefs?(runner: unknown): Promise<unknown>;
}

/** The part of Knex's MySQL client this library overrides or uses; stable from Knex 3.1 to 3.3. */
export interface KnexClient {
  readonly config: Knex.Config;
  driver: unknown;
  initializeDriver(): void;
  initializePool(config?: Knex.Config): void;
  acquireConnection(): Promise<KnexConnection>;
  releaseConnection(connection: KnexConnection): Promise<void>;
  destroy(callback?: () => void): Promise<void>;
  database(): string | undefined;
  prepBindings(bindings: readonly unknown[] | undefined): readonly unknown[] | undefined;
  positionBindings(sql: string): string;
  query(connection: KnexConnection, query: KnexQuery | string): Promise<KnexQuery>;
  _query(connection: KnexConnection, query: KnexQuery | string): Promise<KnexQuery>;
  /** Knex from 3.2 on; sets `version` and `isMariaDB`, which some methods of the builder depend on. */
  checkVersion?(connection: KnexConnection): Promise<unknown>;
  tableBuilder(type: string, tableName: string, tableNameLike: unknown, callback: unknown): Knex.TableBuilder;
  tableCompiler(builder: unknown): KnexTableCompiler;
  customWrapIdentifier(value: string, origImpl: (value: string) => string, queryContext: unknown): string;
  emit(event: string, ...args: unknown[]): boolean;
}

export type KnexClientConstructor = new (config: Knex.Config) => KnexClient;
