import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { formatLine } from '../progress/format';
import type { HookContext } from '../options/options';
import { SCRIPTS, type HookName } from './hook-names';

/** Of what a script prints, in characters. */
const MOST_OUTPUT = 2000;

export interface ScriptOptions {
  readonly directory: string;
  /** Passed on as it is. */
  readonly hint: string;
  readonly timeoutMs: number;
}

/**
 * Runs the executables of a moment, one after the other in the order of their names: `lhm-on-startup`, `lhm-on-startup-mail` …
 *
 * @throws Error with what the script printed, when one fails or takes too long
 */
export async function runScripts(
  { directory, hint, timeoutMs }: ScriptOptions,
  name: HookName,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const prefix = `lhm-${SCRIPTS[name]}`;
  const names = (await readdir(directory)).filter((file) => file.startsWith(prefix)).sort();
  for (const file of names) {
    const path = join(directory, file);
    if (!(await isExecutable(path))) continue;
    await run(path, { ...process.env, ...facts, LHM_HOOKS_HINT: hint }, timeoutMs);
  }
}

/** What a script is told, in its environment. Nothing of the connection is. */
export function scriptFacts(
  { table, ghostTable, oldTable, alter, progress }: HookContext,
  more: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const at = table.indexOf('.');
  const { rowsCopied, rowsEstimated, etaMs } = progress;
  return {
    LHM_DATABASE_NAME: table.slice(0, at),
    LHM_TABLE_NAME: table.slice(at + 1),
    LHM_GHOST_TABLE_NAME: ghostTable,
    LHM_OLD_TABLE_NAME: oldTable,
    LHM_DDL: alter ?? '',
    LHM_PHASE: progress.phase,
    LHM_ELAPSED_SECONDS: (progress.elapsedMs / 1000).toFixed(3),
    LHM_COPIED_ROWS: String(rowsCopied),
    LHM_ESTIMATED_ROWS: String(rowsEstimated),
    LHM_PROGRESS: String(rowsEstimated === 0 ? 100 : Math.floor((100 * rowsCopied) / rowsEstimated)),
    LHM_ETA_SECONDS: etaMs === null ? '' : (etaMs / 1000).toFixed(0),
    LHM_APPLIED_CHANGES: String(progress.changesApplied),
    LHM_BACKLOG: String(progress.backlog),
    LHM_THROTTLED: progress.throttled ?? '',
    LHM_STATUS: formatLine(progress),
    ...more,
  };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

function run(path: string, env: NodeJS.ProcessEnv, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(path, { env, timeout, killSignal: 'SIGKILL', maxBuffer: Infinity }, (error, out, err) => {
      if (error === null) {
        resolve();
        return;
      }
      const why = error.killed === true ? `it took longer than ${timeout} ms` : ended(error);
      const said = `${out}${err}`.trim().slice(-MOST_OUTPUT);
      reject(new Error(`${path}: ${why}${said === '' ? '' : `: ${said}`}`));
    });
  });
}

function ended({ code, signal, message }: { code?: unknown; signal?: unknown; message: string }): string {
  if (typeof code === 'number') return `it ended with ${code}`;
  return typeof signal === 'string' ? `it was ended by ${signal}` : message;
}
