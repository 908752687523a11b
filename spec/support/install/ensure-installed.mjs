/**
 * Makes a checkout ready to run: installs what package-lock.json names where something of it is missing, and builds
 * `dist` where it is missing or older than `lib`. Costs a few milliseconds where there is nothing to do.
 *
 * Depends on nothing but Node and npm, because it runs before anything is installed:
 * `node spec/support/install/ensure-installed.mjs`, or `import { ensureInstalled } from …`.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

export async function ensureInstalled() {
  if (!isInstalled()) {
    console.error('Installing dependencies: npm ci');
    // Also where NODE_ENV says production: the tools are development dependencies.
    await npm('ci', '--include=dev', '--no-audit', '--no-fund');
  }
  if (!isBuilt()) {
    console.error('Building: npm run build');
    await npm('run', '--silent', 'build');
  }
}

/**
 * npm writes down what it has installed when it is done, so an installation that was broken off, or made for another
 * lock file, is told from a complete one. Times would not do: caches and `git checkout` change them.
 */
function isInstalled() {
  const wanted = readPackages(join(root, 'package-lock.json'));
  const found = readPackages(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(wanted).every(
    ([path, { version, integrity, optional }]) =>
      path === '' ||
      // Meant for another platform, perhaps.
      optional === true ||
      (found[path]?.version === version &&
        found[path]?.integrity === integrity &&
        existsSync(join(root, path))),
  );
}

/** What is missing is as good as empty. */
function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw error;
  }
}

function isBuilt() {
  const built = statSync(join(root, 'dist', 'index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = readdirSync(join(root, 'lib'), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const settings = ['tsconfig.json', 'tsconfig.build.json'].map((name) => join(root, name));
  const files = [...sources.map((entry) => join(entry.parentPath ?? entry.path, entry.name)), ...settings];
  return files.every((file) => statSync(file).mtimeMs <= built);
}

/** Runs npm to its end. A signal that reaches only this process is passed on, and ends it when npm has ended. */
function npm(...args) {
  const child = spawn('npm', args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  let signalled = null;
  const forward = (signal) => {
    signalled = signal;
    child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      for (const signal of SIGNALS) process.removeListener(signal, forward);
      if (signalled !== null) process.kill(process.pid, signalled);
      else if (code === 0) resolve();
      else reject(new Error(`npm ${args.join(' ')} failed (${code})`));
    });
  });
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await ensureInstalled().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
