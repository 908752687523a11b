import { mkdirSync, mkdtempSync, realpathSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Connection, Flavor, Installation, RunningServer, ServerOptions } from '../types';
import { freePort } from './port';
import { ServerProcess } from './server-process';
import { dataFolder, errorLog, localSettings } from './settings';
import { copyTemplate } from './template';
import { waitUntilReady } from './wait-until-ready';
import { watchdogFor, type Watchdog } from './watchdog';

const READY_MS = 90_000;
const PORT_TAKEN = /address already in use|another (mysqld )?server running on port/i;

/** Starts a server of this installation on a temporary datadir and a free port of 127.0.0.1. */
export async function startLocal(
  installation: Installation,
  { args = [], log = () => undefined }: ServerOptions,
): Promise<RunningServer> {
  const { initial, later } = split(args);
  installation = { ...installation, args: [...installation.args, ...initial] };
  const folder = temporaryFolder();
  const watchdog = watchdogFor(folder);
  const server = new LocalServer(installation, folder, watchdog);
  try {
    await copyTemplate(installation, dataFolder(folder), log);
    await server.startOnFreePort(later);
  } catch (error) {
    await server.stop();
    throw error;
  }
  log(
    `${installation.flavor} ${server.version} of ${server.source} answers on port ${server.connection.port}`,
  );
  return server;
}

/** MySQL wants to be told of this one when the datadir is made, and ever after. */
function split(args: readonly string[]): { initial: string[]; later: string[] } {
  const initial = args.filter((arg) => arg.startsWith('--lower-case-table-names'));
  return { initial, later: args.filter((arg) => !initial.includes(arg)) };
}

/** Short, because the path of a socket may have no more than 107 bytes (103 on macOS). */
function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir().length < 80 ? tmpdir() : '/tmp', 'lhm-')));
  for (const name of ['tmp', 'files']) {
    mkdirSync(join(folder, name));
  }
  return folder;
}

class LocalServer implements RunningServer {
  readonly owned = true;
  readonly flavor: Flavor;
  readonly source: string;
  version: string;
  connection: Connection = { host: '127.0.0.1', port: 0, user: 'root', password: '' };
  private settings: readonly string[] = [];
  private process: ServerProcess | undefined;
  private stopped = false;

  constructor(
    private readonly installation: Installation,
    readonly folder: string,
    private readonly watchdog: Watchdog,
  ) {
    ({ flavor: this.flavor, source: this.source, version: this.version } = installation);
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  async startOnFreePort(args: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      this.connection = { ...this.connection, port };
      this.settings = [...localSettings(this.installation, this.folder, port), ...args];
      try {
        await this.start();
        return;
      } catch (error) {
        if (attempt === 5 || !PORT_TAKEN.test(String(error))) {
          throw error;
        }
      }
    }
  }

  async start(): Promise<void> {
    if (this.stopped || this.pid !== undefined) {
      throw new Error(`This ${this.flavor} server ${this.stopped ? 'was stopped for good' : 'is running'}`);
    }
    const process = new ServerProcess(this.installation.command, this.settings, errorLog(this.folder));
    this.process = process;
    if (process.pid !== undefined) {
      this.watchdog.watch(process.pid);
    }
    const answer = await waitUntilReady(this.connection, {
      timeoutMs: READY_MS,
      isAlive: () => process.pid !== undefined,
      isOurs: ({ datadir }) => datadir.replace(/\/$/, '') === dataFolder(this.folder),
    });
    if (answer === undefined) {
      const how =
        process.pid === undefined ? 'ended while starting' : `did not answer in ${READY_MS / 1000} s`;
      await process.end('SIGKILL');
      throw new Error(`${this.flavor} (${this.source}) ${how}:\n${process.lastWords()}`);
    }
    this.version = answer.version;
  }

  async restart(): Promise<void> {
    await this.process?.end('SIGTERM');
    await this.start();
  }

  async kill(): Promise<void> {
    await this.process?.end('SIGKILL');
  }

  /** By SIGKILL: nobody will read these files again. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.kill();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
    this.watchdog.dismiss();
  }
}
