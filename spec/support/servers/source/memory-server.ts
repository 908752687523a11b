/**
 * The npm package `mysql-memory-server`, if somebody has installed it. Written from its documentation: it downloads
 * its MySQL from where we could not reach, so this could not be tried. It is no dependency of ours.
 */
import { serverVersion } from '../client';
import type { RunningServer } from '../types';
import { NotAvailable, type Source } from './source';

interface MemoryServer {
  createDB(options: { username: string }): Promise<{ port: number; username: string; stop(): Promise<void> }>;
}

export const fromMemoryServer: Source = async (flavor, { args = [] }) => {
  const name = 'mysql-memory-server';
  if (flavor !== 'mysql' || args.length > 0) {
    return new NotAvailable(`${name} has only MySQL, and takes no server options`);
  }
  const library = await (import(name) as Promise<MemoryServer>).catch(() => undefined);
  if (library === undefined) {
    return new NotAvailable(`the npm package ${name} is not installed`);
  }
  const database = await library.createDB({ username: 'root' });
  const connection = { host: '127.0.0.1', port: database.port, user: database.username, password: '' };
  const refuse = (): Promise<void> => Promise.reject(new Error(`${name} can only start and stop a server`));
  let stopping: Promise<void> | undefined;
  const server: RunningServer = {
    flavor,
    version: await serverVersion(connection),
    source: name,
    connection,
    owned: true,
    restart: refuse,
    kill: refuse,
    start: refuse,
    stop: () => (stopping ??= database.stop()),
  };
  return server;
};
