import type { Knex } from 'knex';
import type { Connection, ConnectionOptions } from 'mysql2';
import { Refusal } from '../errors';

interface KnexClient {
  readonly driver?: { createConnection(options: ConnectionOptions): Connection };
  readonly driverName?: string;
  readonly dialect?: string;
  readonly connectionSettings?: ConnectionOptions;
  readonly connectionConfigProvider?: () => unknown;
  readonly config: { readonly connectionPool?: { readonly config?: { readonly connectionConfig?: object } } };
}

/** Everything needed to open a connection like the ones the caller's Knex opens. */
export interface ConnectionSource {
  create(): Promise<Connection>;
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
 * Settings that the library's own connections need and the caller's may lack: mysql2's defaults round integers
 * beyond 2^53 and turn dates into Date objects, both of which corrupt keys.
 */
const EXACT: ConnectionOptions = {
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  jsonStrings: true,
  timezone: 'Z',
  flags: ['-FOUND_ROWS'],
  rowsAsArray: false,
  namedPlaceholders: false,
  multipleStatements: false,
  nestTables: false,
  typeCast: true,
  decimalNumbers: false,
  charset: 'utf8mb4',
};

/**
 * The only file that knows Knex internals: takes the driver and the connection settings out of the caller's Knex.
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
  return {
    create: async () => driver.createConnection({ ...(await settingsOf(client)), ...EXACT }),
  };
}

async function settingsOf(client: KnexClient): Promise<ConnectionOptions> {
  // A function's answer may hold a token that expires, so it is asked for every connection, as Knex does.
  const provided = client.connectionConfigProvider
    ? await client.connectionConfigProvider()
    : (client.connectionSettings ?? {});
  const settings: Record<string, unknown> =
    typeof provided === 'string'
      ? { uri: provided }
      : { ...(provided as object), ...hidden(provided as object) };
  // With a pool of the caller's own, Knex has no settings; the pool does.
  if (Object.keys(settings).length === 0)
    Object.assign(settings, client.config.connectionPool?.config?.connectionConfig);
  if (Object.keys(settings).length === 0) {
    throw new Refusal(
      'LHM_UNSUPPORTED_CLIENT',
      'The Knex given has no connection settings to open a connection with.',
      'Pass a Knex that was made with a connection (object, URL or function).',
    );
  }
  delete settings['expirationChecker'];
  return settings;
}

/** Knex hides the password from enumeration. */
function hidden(settings: object): object {
  const password = (settings as { password?: unknown }).password;
  return password === undefined ? {} : { password };
}
