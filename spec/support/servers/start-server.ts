import { fromDebian } from './source/debian';
import { fromDocker } from './source/docker';
import { fromMemoryServer } from './source/memory-server';
import { fromPath } from './source/path';
import { NotAvailable, type Source } from './source/source';
import { fromUrl } from './source/url';
import type { Flavor, RunningServer, ServerOptions } from './types';

/** Our own, which can be killed, restarted and paired on this machine. */
export const OWN_SOURCES: readonly Source[] = [fromPath, fromDebian];

const ALL_SOURCES: readonly Source[] = [fromUrl, ...OWN_SOURCES, fromDocker, fromMemoryServer];

/** A running server from the first source that has one. */
export async function startServer(flavor: Flavor, options: ServerOptions = {}): Promise<RunningServer> {
  return Object.assign(await startFrom(ALL_SOURCES, flavor, options), {
    mode: options.mode ?? 'triggers',
  });
}

export async function startFrom(
  sources: readonly Source[],
  flavor: Flavor,
  options: ServerOptions,
): Promise<RunningServer> {
  const reasons: string[] = [];
  for (const source of sources) {
    const server = await source(flavor, options);
    if (!(server instanceof NotAvailable)) {
      return server;
    }
    reasons.push(server.reason);
  }
  const why = reasons.map((reason) => `  - ${reason}`).join('\n');
  throw new Error(`No ${flavor} server to be had. ${WHAT_TO_TYPE[flavor]}\n${why}`);
}

const WHAT_TO_TYPE = {
  mysql: 'Name one by typing: export LHM_MYSQL_URL=mysql://root:password@127.0.0.1:3306',
  mariadb: 'Type: sudo apt-get install mariadb-server (or brew install mariadb)',
} as const;
