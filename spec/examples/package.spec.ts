import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** The package by its own name, as it was built, in each way that a project may load it. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  require: ['--eval', "console.log(Object.keys(require('large-hadron-migrate')).sort().join())"],
  import: [
    '--input-type=module',
    '--eval',
    "import * as all from 'large-hadron-migrate'; console.log(Object.keys(all).filter((k) => !['default', 'module.exports', '__esModule'].includes(k)).sort().join())",
  ],
  tsx: [
    '--import=tsx',
    '--input-type=module',
    '--eval',
    "import { largeHadronMigrate, LargeHadronError } from 'large-hadron-migrate'; console.log(typeof largeHadronMigrate, typeof LargeHadronError)",
  ],
};

const NAMES =
  'LargeHadronError,LargeHadronEvents,largeHadronCleanUp,largeHadronMigrate,planLargeHadronMigration';

describe('the built package', () => {
  for (const [way, args] of Object.entries(WAYS)) {
    it(`is loaded by ${way}`, () => {
      const said = execFileSync(process.execPath, args, { cwd: join(__dirname, '../..'), encoding: 'utf8' });
      expect(said.trim()).to.equal(way === 'tsx' ? 'function function' : NAMES);
    });
  }
});
