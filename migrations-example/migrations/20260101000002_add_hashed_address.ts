import type { Knex } from 'knex';
import { largeHadronMigrate } from 'large-hadron-migrate';

export const config = { transaction: false };

export async function up(knex: Knex): Promise<void> {
  await largeHadronMigrate('emails', { knex }, (t) => {
    t.string('hashed_address', 64);
    t.index(['hashed_address']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await largeHadronMigrate('emails', { knex }, (t) => {
    t.dropIndex(['hashed_address']);
    t.dropColumn('hashed_address');
  });
}
