/**
 * The example migrations on a table of a million rows, while an application that keeps books writes to it:
 * `npm run demo`, or `npm run demo -- --help`. Needs nothing but Node; what is missing is installed first.
 */
import { createRequire } from 'node:module';
import { ensureInstalled } from '../../spec/support/install/ensure-installed.mjs';

await ensureInstalled().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
const require = createRequire(import.meta.url);
require('tsx/cjs');
await require('./main.ts').main(process.argv.slice(2));
