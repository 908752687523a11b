/**
 * A server in a container, for machines without Debian's packages. Written from the documentation of the two images:
 * there was no Docker engine to try it on.
 */
import { randomUUID } from 'node:crypto';

import { freePort } from '../local/port';
import { commonSettings } from '../local/settings';
import { waitUntilReady } from '../local/wait-until-ready';
import { watchdog } from '../local/watchdog';
import { run, runOrThrow } from '../run';
import type { Flavor, RunningServer } from '../types';
import { NotAvailable, type Source } from './source';

const IMAGES = { mysql: 'mysql:9', mariadb: 'mariadb:10.11' } as const;
const NO_PASSWORD = {
  mysql: ['MYSQL_ALLOW_EMPTY_PASSWORD=yes', 'MYSQL_ROOT_HOST=%'],
  mariadb: ['MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=yes', 'MARIADB_ROOT_HOST=%'],
} as const;

// The container is no child of ours, so it does not end with us by itself.
const REMOVE_CONTAINER = 'cat >/dev/null; docker rm --force --volumes "$1" >/dev/null 2>&1';

export const fromDocker: Source = async (flavor, { args = [], log }) => {
  if ((await run(['docker', 'info'], { timeoutMs: 20_000 })).code !== 0) {
    return new NotAvailable('`docker info` does not answer');
  }
  const connection = { host: '127.0.0.1', port: await freePort(), user: 'root', password: '' };
  const name = `lhm-${randomUUID()}`;
  const guard = watchdog(REMOVE_CONTAINER, name);
  const docker = (...words: string[]): Promise<string> => runOrThrow(['docker', ...words]);
  const ready = async (): Promise<string> => {
    const answer = await waitUntilReady(connection, {
      timeoutMs: 90_000,
      isAlive: () => true,
      isOurs: () => true,
    });
    if (answer === undefined) {
      const { stdout, stderr } = await run(['docker', 'logs', '--tail', '40', name]);
      throw new Error(`${flavor} in Docker did not answer:\n${stdout}${stderr}`);
    }
    return answer.version;
  };
  const stop = async (): Promise<void> => {
    await run(['docker', 'rm', '--force', '--volumes', name]);
    guard.dismiss();
  };
  try {
    log?.(`docker run ${IMAGES[flavor]}`);
    await docker(...runWords(flavor, name, connection.port), ...commonSettings(flavor), ...args);
    const server: RunningServer = {
      flavor,
      version: await ready(),
      source: `docker run ${IMAGES[flavor]}`,
      connection,
      owned: true,
      restart: () =>
        docker('restart', name)
          .then(ready)
          .then(() => undefined),
      kill: () => docker('kill', name).then(() => undefined),
      start: () =>
        docker('start', name)
          .then(ready)
          .then(() => undefined),
      stop,
    };
    return server;
  } catch (error) {
    await stop();
    throw error;
  }
};

function runWords(flavor: Flavor, name: string, port: number): string[] {
  const environment = NO_PASSWORD[flavor].flatMap((variable) => ['--env', variable]);
  return [
    'run',
    '--detach',
    '--name',
    name,
    '--publish',
    `127.0.0.1:${port}:3306`,
    ...environment,
    IMAGES[flavor],
  ];
}
