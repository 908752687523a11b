import { constants } from 'node:fs';
import { access, lstat, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../database/server-error';
import { formatLine } from '../progress/format';
import type { HookContext } from '../options/options';
import { SCRIPTS, type HookName } from './hook-names';
import { runExecutable } from './run-executable';

export interface ScriptOptions {
  readonly directory: string;
  /** Passed on as it is. */
  readonly hint: string;
  readonly timeoutMs: number;
  /** Ends the one that runs; without it each is waited for. */
  readonly signal?: AbortSignal | undefined;
  /** Told of a file that has the name of an executable, and is none. */
  readonly skipped?: (path: string) => void;
}

/**
 * Runs the executables of a moment, one after the other in the order of their names: `lhm-on-startup`, `lhm-on-startup-mail` …
 *
 * @throws Error with what the script printed, when one fails or takes too long
 */
export async function runScripts(
  { directory, hint, timeoutMs, signal, skipped = () => undefined }: ScriptOptions,
  name: HookName,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const prefix = `lhm-${SCRIPTS[name]}`;
  const names = (await readdir(directory)).filter((file) => file.startsWith(prefix)).sort();
  for (const file of names) {
    const path = join(directory, file);
    if (!(await isFile(path))) continue;
    if (!(await mayBeRun(path))) {
      skipped(path);
      continue;
    }
    await runExecutable(path, { ...inherited(), ...facts, LHM_HOOKS_HINT: hint }, timeoutMs, signal);
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

/** Of the environment, all but what holds a password of ours. */
function inherited(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  delete env['LHM_URL'];
  return env;
}

/** @throws Error for a link that leads nowhere: somebody has meant something to be run */
async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (cause) {
    const found = await lstat(path).catch(() => null);
    if ((cause as NodeJS.ErrnoException).code === 'EACCES' || found?.isSymbolicLink() !== true) return false;
    throw new Error(`${path}: it is a link that leads nowhere (${messageOf(cause)})`, { cause });
  }
}

async function mayBeRun(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
