import type { Knex } from 'knex';

/** A new table is empty, so Knex alone will do. The next migrations change it when it is large and in use. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('emails', (t) => {
    t.bigIncrements('id');
    t.string('name', 100).notNullable();
    t.text('note');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('emails');
}
