import type { MigrationResult } from 'large-hadron-migrate';

/** What record-results.cjs sends from within the knex CLI. */
export type Message =
  | { readonly event: 'started' }
  | { readonly event: 'cut-over' }
  | { readonly event: 'done'; readonly result: MigrationResult };
