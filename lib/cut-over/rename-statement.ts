import { qualified } from '../database/sql';
import type { TablePair } from '../schema/table-pair';
import type { SwappedNames } from './confirm-swap';

/** The swap: one statement, so that no moment is without the table. */
export function renameStatement({ schema, origin, names }: TablePair): string {
  const table = (name: string): string => qualified(schema, name);
  return (
    `RENAME TABLE ${table(origin.table)} TO ${table(names.old)},` +
    ` ${table(names.ghost)} TO ${table(origin.table)}`
  );
}

/** Undoes it: for a new table that did not get the last changes. */
export function renameBackStatement({ schema, origin, names }: SwappedNames): string {
  const table = (name: string): string => qualified(schema, name);
  return (
    `RENAME TABLE ${table(origin.table)} TO ${table(names.ghost)},` +
    ` ${table(names.old)} TO ${table(origin.table)}`
  );
}
