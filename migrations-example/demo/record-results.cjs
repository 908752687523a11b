/**
 * The demo loads this into the knex CLI (`node --require`). It tells the demo, through the channel between the two
 * processes, when a migration begins, when it is about to swap the tables, and what it returned (messages.ts). The
 * migrations and the knexfile know nothing of it.
 */
const file = require.resolve('large-hadron-migrate');
const library = require(file);

require.cache[file].exports = {
  ...library,
  async largeHadronMigrate(table, options, alter) {
    const beforeCutOver = async (context) => {
      tell({ event: 'cut-over' });
      await options.hooks?.beforeCutOver?.(context);
    };
    tell({ event: 'started' });
    const withHook = { ...options, hooks: { ...options.hooks, beforeCutOver } };
    const result = await library.largeHadronMigrate(table, withHook, alter);
    tell({ event: 'done', result });
    return result;
  },
};

function tell(message) {
  if (process.connected) process.send(message);
}
