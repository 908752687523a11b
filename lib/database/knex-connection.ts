import type { Knex } from 'knex';
import type { Connection, ConnectionOptions } from 'mysql2';
import { Refusal } from '../errors';
import { isConnectionLoss } from './server-error';
import { clock } from '../util/clock';
import { exactSettings } from './connection-settings';

interface NativePool {
  readonly config?: { readonly connectionConfig?: object };
  emit(event: 'connection', connection: Connection): boolean;
}

type AfterCreate = (connection: Connection, done: (error?: unknown) => void) => void;

interface KnexClient {
  readonly driver?: { createConnection(options: ConnectionOptions): Connection };
  readonly driverName?: string;
  readonly dialect?: string;
  readonly connectionSettings?: object;
  readonly connectionConfigProvider?: () => unknown;
  readonly config: {
    /** Of mysql2, or of mysql2/promise, which holds the former. */
    readonly connectionPool?: NativePool & { readonly pool?: NativePool };
    readonly pool?: { readonly afterCreate?: AfterCreate };
    readonly acquireConnectionTimeout?: number;
  };
}

/** Everything needed to open a connection like the ones the caller's Knex opens. */
export interface ConnectionSource {
  /** `compressed`: false for one without compression, whatever the caller has. */
  create(compressed?: boolean): Promise<Connection>;
  /** Does to a connection what the caller has done to each of his own: `pool.afterCreate`. */
  afterCreate(connection: Connection): Promise<void>;
  /** The same account on another server. */
  at(host: string, port: number): ConnectionSource;
}

/** Whether the value is a Knex instance or a transaction of one. */
export function isKnex(value: unknown): value is Knex {
  return (
    typeof value === 'function' && typeof (value as { raw?: unknown }).raw === 'function' && 'client' in value
  );
}

export function isTransaction(knex: Knex): boolean {
  return knex.isTransaction === true;
}

/**
 * Takes the driver and the connection settings out of the caller's Knex. Its internals are known here, in `knex-names`
 * and in `ghost/knex-internals` only.
 *
 * @throws Refusal LHM_UNSUPPORTED_CLIENT when it is not a Knex on mysql2, or has no connection settings
 */
export function connectionSource(knex: Knex): ConnectionSource {
  const client = knex.client as KnexClient;
  if (client.driverName !== 'mysql2' || client.driver === undefined) {
    throw new Refusal(
      'LHM_UNSUPPORTED_CLIENT',
      `The Knex given uses the client '${client.driverName ?? client.dialect ?? 'unknown'}'.`,
      "Configure Knex with client: 'mysql2' and a connection.",
    );
  }
  const driver = client.driver;
  const leadingTo = (there: object): ConnectionSource => ({
    create: async (compressed = true) =>
      driver.createConnection(exactSettings({ ...(await settingsOf(client)), ...there }, compressed)),
    afterCreate: (connection) => afterCreate(client, connection),
    at: (host, port) =>
      leadingTo({ host, port, socketPath: undefined, stream: undefined, database: undefined }),
  });
  return leadingTo({});
}

async function settingsOf(client: KnexClient): Promise<Record<string, unknown>> {
  // A function's answer may hold a token that expires, so it is asked for every connection, as Knex does.
  const provided = client.connectionConfigProvider
    ? await asked(client, () => client.connectionConfigProvider?.())
    : (client.connectionSettings ?? {});
  let settings: Record<string, unknown> =
    typeof provided === 'string' ? { uri: provided } : withPassword(provided as object);
  // With a pool of the caller's own, Knex has no settings; the pool does.
  if (Object.keys(settings).length === 0) settings = withPassword(poolOf(client)?.config?.connectionConfig);
  if (Object.keys(settings).length === 0) {
    throw new Refusal(
      'LHM_UNSUPPORTED_CLIENT',
      'The Knex given has no connection settings to open a connection with.',
      'Pass a Knex that was made with a connection (object, URL or function).',
    );
  }
  return settings;
}

/** A token service that does not answer must not keep the migration from noticing that it is to stop. */
async function asked<T>({ config }: KnexClient, provider: () => T | Promise<T>): Promise<T> {
  const { acquireConnectionTimeout = ACQUIRE_TIMEOUT_MS } = config;
  let tooLate: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const why = `the function \`connection\` of the Knex given did not answer in ${acquireConnectionTimeout} ms`;
    tooLate = clock.setTimeout(() => reject(new Error(why)), acquireConnectionTimeout);
  });
  try {
    return await Promise.race([provider(), limit]);
  } finally {
    if (tooLate !== undefined) clock.clearTimeout(tooLate);
  }
}

/** A copy, with the password, which Knex hides from enumeration, in a caller's pool as well. */
function withPassword(settings: { password?: unknown } = {}): Record<string, unknown> {
  const { password } = settings;
  return { ...settings, ...(password === undefined ? {} : { password }) };
}

function poolOf({ config: { connectionPool } }: KnexClient): NativePool | undefined {
  return connectionPool?.pool ?? connectionPool;
}

/** As long as Knex waits for a connection, in ms, unless told otherwise. */
const ACQUIRE_TIMEOUT_MS = 60_000;

/**
 * What a session of the caller's runs under decides how his own ALTER would come out (sql_mode, time zone, role), so
 * the library's own sessions begin there.
 */
async function afterCreate(client: KnexClient, connection: Connection): Promise<void> {
  const { connectionPool, pool, acquireConnectionTimeout = ACQUIRE_TIMEOUT_MS } = client.config;
  // Its listeners queue their statements on the connection, before any of ours.
  if (connectionPool !== undefined) poolOf(client)?.emit('connection', connection);
  const given = connectionPool === undefined ? pool?.afterCreate : undefined;
  if (given === undefined) return;
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: unknown): void => {
      // It says nothing of what the function does, and may be over soon.
      if (cause instanceof Error && isConnectionLoss(cause)) {
        reject(cause);
        return;
      }
      const why = cause instanceof Error ? cause.message : String(cause);
      reject(
        new Refusal(
          'LHM_AFTER_CREATE_FAILED',
          `pool.afterCreate of the Knex given failed on a connection of the migration: ${why}`,
          'Correct it: Knex itself could not use such a connection either.',
          { cause },
        ),
      );
    };
    const tooLate = clock.setTimeout(
      () => failed(new Error(`it did not call back in ${acquireConnectionTimeout} ms`)),
      acquireConnectionTimeout,
    );
    const done = (error?: unknown): void => {
      clock.clearTimeout(tooLate);
      if (error === undefined || error === null) resolve();
      else failed(error);
    };
    try {
      given(connection, done);
    } catch (error) {
      done(error);
    }
  });
}
