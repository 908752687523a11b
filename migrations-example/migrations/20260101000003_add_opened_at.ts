import type { Knex } from 'knex';
import { largeHadronMigrate } from 'large-hadron-migrate';

export const config = { transaction: false };

/** In SQL instead of through the builder: `ctx.ghostTable` is the new table, which takes the place of the old one. */
export async function up(knex: Knex): Promise<void> {
  await largeHadronMigrate('emails', { knex }, async (_t, ctx) => {
    await ctx.raw(
      'ALTER TABLE ?? ADD COLUMN opened_at DATETIME NULL, ADD INDEX emails_opened_at_index (opened_at)',
      [ctx.ghostTable],
    );
  });
}

export async function down(knex: Knex): Promise<void> {
  await largeHadronMigrate('emails', { knex }, async (_t, ctx) => {
    await ctx.raw('ALTER TABLE ?? DROP INDEX emails_opened_at_index, DROP COLUMN opened_at', [
      ctx.ghostTable,
    ]);
  });
}
