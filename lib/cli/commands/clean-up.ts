import { Command } from 'commander';
import { deadSockets, removeSocket } from '../../control/dead-sockets';
import { withKnex, type ConnectionFlags } from '../connection';
import { addConnectionFlags } from '../connection-flags';
import { EXIT } from '../exit-codes';
import type { Ends } from '../program';
import { say } from '../secrets';

interface Flags extends ConnectionFlags {
  readonly dropOldTablesAfterMs?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export function cleanUpCommand(ends: Ends): Command {
  const command = new Command('clean-up')
    .description('Removes what runs left whose process is gone, and lists the originals that were kept.')
    .argument('[table]', 'default: every table of the database')
    .option('--drop-old-tables-after-ms <ms>', 'drop originals of at least this age')
    .option('--dry-run', 'say what would be removed, and touch nothing')
    .option('--json', 'as JSON');
  return addConnectionFlags(command).action(async (table: string | undefined, flags: Flags) => {
    const { dropOldTablesAfterMs: ms, dryRun = false, json = false } = flags;
    const { largeHadronCleanUp } = await import('../../large-hadron-clean-up.js');
    const found = await withKnex(flags, (knex) =>
      largeHadronCleanUp(table ?? null, {
        ...{ knex, dryRun },
        ...(ms === undefined ? {} : { dropOldTablesAfterMs: Number(ms) }),
      }),
    );
    const sockets = await deadSockets(table);
    if (!dryRun) for (const path of sockets) await removeSocket(path);
    const done = dryRun ? 'to be removed' : 'removed';
    const lines = [
      ...found.removed.map(({ kind, name }) => `${done}: ${kind} ${name}`),
      ...sockets.map((path) => `${done}: socket ${path}`),
      ...found.alive.map((name) => `being migrated: ${name}`),
      ...found.oldTables.map((old) => `${old.dropped ? 'dropped' : 'kept'}: table ${old.name}`),
    ];
    say(json ? JSON.stringify({ ...found, sockets }, null, 2) : lines.join('\n') || 'nothing was left');
    ends(EXIT.done);
  });
}
