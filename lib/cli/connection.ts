import type { Knex } from 'knex';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { askPassword } from './ask-password';
import { messageOf } from '../database/server-error';
import { BadInput } from './exit-codes';
import { keepSecret } from './secrets';

/** How the server is reached. */
export interface ConnectionFlags {
  readonly url?: string;
  readonly askPass?: boolean;
  readonly passwordFile?: string;
  readonly knexfile?: string;
  readonly env?: string;
}

type CreateKnex = (config: Knex.Config) => Knex;

/** Runs the work with a Knex of its own, and closes it. */
export async function withKnex<T>(flags: ConnectionFlags, work: (knex: Knex) => Promise<T>): Promise<T> {
  const config = await configOf(flags);
  const knex = begin(loadKnex(), config);
  try {
    return await work(knex);
  } finally {
    await knex.destroy();
  }
}

/** What Knex has to say of a configuration, as of a driver that is not installed, is no mistake in the program. */
function begin(createKnex: CreateKnex, config: Knex.Config): Knex {
  try {
    return createKnex(config);
  } catch (error) {
    const [first = '', ...more] = messageOf(error).split('\n');
    const said = first.startsWith('Knex: run') ? `${first} ${more[0] ?? ''}` : first;
    throw new BadInput(`Knex does not take the configuration: ${said}`);
  }
}

/** The project's, and where it has none the one beside this package. */
function loadKnex(): CreateKnex {
  for (const from of [join(process.cwd(), 'package.json'), __filename]) {
    try {
      const loaded = createRequire(from)('knex') as CreateKnex & { default?: CreateKnex };
      return loaded.default ?? loaded;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new BadInput('knex is not installed: npm install knex mysql2');
}

async function configOf(flags: ConnectionFlags): Promise<Knex.Config> {
  const { knexfile } = flags;
  if (knexfile !== undefined) {
    if (flags.url !== undefined) throw new BadInput('Give --knexfile or --url, not both.');
    if (flags.askPass === true || flags.passwordFile !== undefined)
      throw new BadInput('With --knexfile the password is the one of the knexfile.');
    const config = await readKnexfile(resolve(knexfile), flags.env);
    keepSecretsOf(config.connection);
    return config;
  }
  return { client: 'mysql2', connection: await urlOf(flags), pool: { min: 0, max: 2 } };
}

async function urlOf(flags: ConnectionFlags): Promise<string> {
  const given = flags.url ?? process.env['LHM_URL'];
  if (given === undefined)
    throw new BadInput('Say where the server is: --url, LHM_URL in the environment, or --knexfile.');
  const url = parseUrl(given);
  const password = await passwordOf(flags);
  if (password !== null) url.password = encodeURIComponent(password);
  keepSecret(decodeURIComponent(url.password));
  return url.href;
}

/** What is wrong is not repeated: it may hold a password. */
function parseUrl(text: string): URL {
  const wanted = 'The URL must look like mysql://user@host:3306/database.';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new BadInput(wanted);
  }
  keepSecret(url.password);
  if (!/^(?:mysql2?|mariadb):$/.test(url.protocol) || url.hostname === '') throw new BadInput(wanted);
  // Of `user:p@ss/word@host`, the host would be `ss`.
  const rest = url.pathname + url.search + url.hash;
  if (rest.includes('@') || url.hash !== '' || !isEncoded(url.password))
    throw new BadInput(
      `${wanted} Special characters in the password must be encoded: %40 for @, %23 for #, %25 for %.`,
    );
  return new URL(url.href.replace(/^\w+:/, 'mysql:'));
}

function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

async function passwordOf({ askPass = false, passwordFile }: ConnectionFlags): Promise<string | null> {
  if (passwordFile === undefined) return askPass ? askPassword() : null;
  if (askPass) throw new BadInput('Give --ask-pass or --password-file, not both.');
  try {
    return readFileSync(passwordFile, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new BadInput(`The password file cannot be read: ${(error as Error).message}`);
  }
}

type Knexfile = Knex.Config & Record<string, Knex.Config | undefined>;

/** As the `knex` command reads it. */
async function readKnexfile(path: string, named: string | undefined): Promise<Knex.Config> {
  let found: unknown;
  try {
    found = await import(pathToFileURL(path).href);
    while (typeof found === 'object' && found !== null && 'default' in found) found = found.default;
    found = typeof found === 'function' ? await (found as () => unknown)() : await found;
  } catch (error) {
    const { code } = (error ?? {}) as NodeJS.ErrnoException;
    const how = code === 'ERR_UNKNOWN_FILE_EXTENSION' ? '. With tsx: NODE_OPTIONS=--import=tsx lhm …' : '';
    throw new BadInput(`The knexfile cannot be loaded: ${messageOf(error)}${how}`);
  }
  if (typeof found !== 'object' || found === null) throw new BadInput('The knexfile holds no configuration.');
  const all = found as Knexfile;
  const env = named ?? process.env['KNEX_ENV'] ?? process.env['NODE_ENV'] ?? 'development';
  const config = named === undefined ? (all[env] ?? all) : all[env];
  if (config === undefined) throw new BadInput(`The knexfile has no '${env}'.`);
  return config;
}

function keepSecretsOf(connection: unknown): void {
  if (typeof connection === 'string') {
    try {
      keepSecret(decodeURIComponent(new URL(connection).password));
    } catch {
      // Knex will say what is wrong with it.
    }
    return;
  }
  const { password } = (connection ?? {}) as { password?: unknown };
  if (typeof password === 'string') keepSecret(password);
}
