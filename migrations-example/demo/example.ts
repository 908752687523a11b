import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** One of the example migrations. */
export interface Migration {
  /** As Knex knows it: `20260101000002_add_hashed_address.ts`. */
  readonly file: string;
  /** For people: `add_hashed_address`. */
  readonly title: string;
}

const ALL: readonly Migration[] = readdirSync(join(__dirname, '..', 'migrations'))
  .filter((file) => file.endsWith('.ts'))
  .sort()
  .map((file) => ({ file, title: file.replace(/^\d+_|\.ts$/g, '') }));

/** Those that change the table, in their order; the very first one creates it. */
export const CHANGES: readonly Migration[] = ALL.slice(1);
