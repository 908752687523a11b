import type { Knex } from 'knex';

const config: Knex.Config = {
  client: 'mysql2',
  connection: process.env['DATABASE_URL'] ?? 'mysql://root@127.0.0.1:3306/large_hadron_example',
  migrations: { directory: './migrations', loadExtensions: ['.ts'] },
};

export default config;
