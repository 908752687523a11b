import { parseArgs } from 'node:util';
import type { Flavor } from '../../spec/support/servers';
import { CHANGES, type Migration } from './example';

export interface DemoOptions {
  readonly flavors: readonly Flavor[];
  readonly rows: number;
  readonly writers: number;
  /** What to run, in this order. */
  readonly changes: readonly Migration[];
}

export const USAGE = `npm run demo [-- options]

  --server mysql|mariadb|both   which server to start (default mysql)
  --rows 1000000                rows in the table
  --writers 6                   clients that write to it meanwhile
  --changes ${CHANGES.length}                   how many of the ${CHANGES.length} example migrations change the full table`;

const FLAVORS = new Map<string, readonly Flavor[]>([
  ['mysql', ['mysql']],
  ['mariadb', ['mariadb']],
  ['both', ['mysql', 'mariadb']],
]);

/** @returns null when help was asked for */
export function parseOptions(args: readonly string[]): DemoOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      server: { type: 'string', default: 'mysql' },
      rows: { type: 'string', default: '1000000' },
      writers: { type: 'string', default: '6' },
      changes: { type: 'string', default: String(CHANGES.length) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return null;
  const flavors = FLAVORS.get(values.server);
  if (flavors === undefined) throw new Error('--server is mysql, mariadb or both');
  const writers = wholeNumber('--writers', values.writers, 1, 100);
  // Every writer needs some rows of its own.
  const rows = wholeNumber('--rows', values.rows, 1000 * writers, 50_000_000);
  const changes = CHANGES.slice(0, wholeNumber('--changes', values.changes, 1, CHANGES.length));
  return { flavors, rows, writers, changes };
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text.replaceAll(/[_,]/g, ''));
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`${name} is a whole number from ${min} to ${max}`);
}
