import type { Knex } from 'knex';
import { largeHadronMigrate } from 'large-hadron-migrate';

export const config = { transaction: false };

/** `ctx.values` fills the new column of the rows that are there already, from an expression over the old columns. */
export async function up(knex: Knex): Promise<void> {
  await largeHadronMigrate('emails', { knex }, (t, ctx) => {
    t.string('search_name', 100);
    ctx.values['search_name'] = 'LOWER(name)';
  });
}

export async function down(knex: Knex): Promise<void> {
  await largeHadronMigrate('emails', { knex }, (t) => {
    t.dropColumn('search_name');
  });
}
