import { countDomains, readPrimary } from '../../replication/primary';
import { sourceProblems } from '../../replication/source-problems';
import type { Check } from '../check';

/** That the log of `binlog.source` may stand in for the server's own. */
export const binlogSource: Check = async ({ session, server, name, names, options, source }) => {
  if (source === null) return [];
  const reader = await source.open('source');
  try {
    const primary = await readPrimary(session, server);
    return await sourceProblems(source, reader, primary, {
      ...{ schema: name.schema, table: name.table, tables: [name.table, names.changelog] },
      running: true,
      mostDelayMs: options.cutOver.drainBudgetMs,
      domains: await countDomains(session, server),
    });
  } finally {
    await reader.close();
  }
};
