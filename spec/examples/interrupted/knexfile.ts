import type { Knex } from 'knex';

const config: Knex.Config = {
  client: 'mysql2',
  connection: process.env['DATABASE_URL']!,
  migrations: { directory: './migrations', loadExtensions: ['.ts'] },
};

export default config;
