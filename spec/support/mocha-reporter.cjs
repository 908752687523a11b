/* Mocha's own summary, and below it one line that says how many tests really ran. */
const { reporters, Runner } = require('mocha');

module.exports = class CountingReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures, pending } = this.stats;
      const skipped = pending > 0 ? `, ${pending} skipped` : '';
      process.stdout.write(`\n${passes} passed, ${failures} failed${skipped}\n`);
      // A run without a test proves nothing, so it must not look like success.
      if (passes + failures === 0) process.exitCode = 1;
    });
  }
};
