import type { Knex } from 'knex';
import { largeHadronMigrate } from 'large-hadron-migrate';

export const config = { transaction: false };

/** With a pause after each of many small chunks it takes so long that a signal always comes in time. */
export async function up(knex: Knex): Promise<void> {
  const pauseMs = Number(process.env['PAUSE_MS'] ?? 0);
  const chunk = pauseMs > 0 ? { rows: 100, pauseMs } : {};
  await largeHadronMigrate('letters', { knex, chunk }, (t) => {
    t.dateTime('read_at').index();
  });
}

export async function down(knex: Knex): Promise<void> {
  await largeHadronMigrate('letters', { knex }, (t) => {
    t.dropColumn('read_at');
  });
}
