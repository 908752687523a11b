import { serverVersion } from '../client';
import type { Connection, Flavor, RunningServer } from '../types';
import { NotAvailable, type Source } from './source';

const variableOf = (flavor: Flavor): string => (flavor === 'mysql' ? 'LHM_MYSQL_URL' : 'LHM_MARIADB_URL');

/** A server that somebody else runs, named by an environment variable. */
export const fromUrl: Source = async (flavor, { args = [] }) => {
  const variable = variableOf(flavor);
  const url = process.env[variable] ?? '';
  if (url === '') {
    return new NotAvailable(`${variable} is not set`);
  }
  if (args.length > 0) {
    // Its options are not ours to change, and without them the caller would test something else.
    return new NotAvailable(`the server of ${variable} cannot be given ${args.join(' ')}`);
  }
  const connection = parse(variable, url);
  const version = await serverVersion(connection).catch((cause: unknown) => {
    throw new Error(`The server of ${variable} does not answer: ${String(cause)}`, { cause });
  });
  if (/mariadb/i.test(version) !== (flavor === 'mariadb')) {
    throw new Error(`${variable} leads to ${version}, which is not ${flavor}`);
  }
  const refuse = (): Promise<void> =>
    Promise.reject(new Error(`The server of ${variable} was not started by us, so we do not stop it`));
  const server: RunningServer = {
    flavor,
    version,
    source: variable,
    connection,
    owned: false,
    restart: refuse,
    kill: refuse,
    start: refuse,
    stop: () => Promise.resolve(),
  };
  return server;
};

function parse(variable: string, text: string): Connection {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['mysql:', 'mariadb:'].includes(url.protocol)) {
    throw new Error(`${variable} must look like mysql://user:password@host:3306`);
  }
  return {
    // Brackets belong to the URL, not to the address inside.
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 3306 : Number(url.port),
    user: decodeURIComponent(url.username === '' ? 'root' : url.username),
    password: decodeURIComponent(url.password),
  };
}
