/**
 * A server to try something on: `npx tsx spec/support/servers/by-hand.ts mysql --wait-timeout=5`.
 * Prints one line of JSON with its address and runs until it is interrupted.
 */
import { startServer } from '.';
import type { Flavor } from './types';

async function main(): Promise<void> {
  const [flavor = 'mysql', ...args] = process.argv.slice(2);
  const { version, connection, pid, folder } = await startServer(flavor as Flavor, {
    args,
    log: console.error,
  });
  console.log(JSON.stringify({ version, ...connection, pid, folder }));
  // The server itself keeps nobody waiting.
  setInterval(() => undefined, 60_000);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
