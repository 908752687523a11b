import type { Flavor } from '../../spec/support/servers';
import { parseOptions, USAGE, type DemoOptions } from './options';
import { runDemo } from './run-demo';
import { Stopped, stopSignal } from './stop-signal';

/** Ends with 0 only if every migration succeeded and the application's books are exact, on every server asked for. */
export async function main(args: readonly string[]): Promise<void> {
  let options: DemoOptions | null;
  try {
    options = parseOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (options === null) console.log(USAGE);
  // Not by itself: clients of the application that had to be abandoned would keep the process alive.
  else process.exit(await runAll(options));
}

async function runAll(options: DemoOptions): Promise<number> {
  const stop = stopSignal();
  const failed: Flavor[] = [];
  for (const flavor of options.flavors) {
    try {
      if (!(await runDemo(flavor, options, stop))) failed.push(flavor);
    } catch (error) {
      if (stop.reason instanceof Stopped) {
        console.error('Stopped. Nothing is left running.');
        return stop.reason.exitCode;
      }
      console.error(error);
      failed.push(flavor);
    }
  }
  if (failed.length > 0 && options.flavors.length > 1) console.error(`\nFailed on ${failed.join(' and ')}.`);
  return failed.length === 0 ? 0 : 1;
}
