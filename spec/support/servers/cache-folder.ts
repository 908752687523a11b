import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** The per-user folder for what is expensive to get: unpacked servers and initialised datadirs. */
export function cacheFolder(...names: string[]): string {
  const configured = process.env['XDG_CACHE_HOME'] ?? '';
  // The XDG specification says that a relative path is to be ignored.
  const base = isAbsolute(configured) ? configured : join(homedir(), '.cache');
  const root = isOurs(base) ? join(base, 'large-hadron-migrate') : privateTemporaryFolder();
  const folder = join(root, ...names);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Whether we can write there and nobody is harmed: under `sudo` the home folder can be another user's, and files
 * of root in it would be in their way for ever.
 */
function isOurs(folder: string): boolean {
  const { uid } = userInfo();
  let path = folder;
  while (!existsSync(path)) {
    path = dirname(path);
  }
  try {
    accessSync(path, constants.W_OK);
    return uid !== 0 || statSync(path).uid === 0;
  } catch {
    return false;
  }
}

function privateTemporaryFolder(): string {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `large-hadron-migrate-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (statSync(folder).uid !== uid) {
    // Programs are started from here, so it must not be a folder that someone else has prepared.
    throw new Error(`${folder} belongs to another user; set XDG_CACHE_HOME to a folder of your own`);
  }
  return folder;
}
