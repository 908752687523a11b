import { qualified } from '../database/sql';

/** Tells the sentry from an old table that bears the same name. */
export const SENTRY_COMMENT = 'large-hadron-migrate sentry';

export function createSentry(schema: string, name: string): string {
  return `CREATE TABLE ${qualified(schema, name)} (id INT PRIMARY KEY) ENGINE = InnoDB COMMENT = '${SENTRY_COMMENT}'`;
}
