import type { Knex } from 'knex';
import { largeHadronMigrate } from 'large-hadron-migrate';

export const config = { transaction: false };

/** The data goes with the name. */
export async function up(knex: Knex): Promise<void> {
  await largeHadronMigrate('emails', { knex }, (t) => {
    t.renameColumn('search_name', 'lower_name');
  });
}

export async function down(knex: Knex): Promise<void> {
  await largeHadronMigrate('emails', { knex }, (t) => {
    t.renameColumn('lower_name', 'search_name');
  });
}
