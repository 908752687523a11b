import type { TestTable } from './test-table';

/** The definition without what is in the nature of a copy: its name, its counter, and the names of CHECKs. */
export async function shapeOf(test: TestTable, table: string): Promise<string> {
  return (await test.definition(table))
    .replace(`\`${table}\``, '`it`')
    .replace(/ AUTO_INCREMENT=\d+/g, '')
    .replace(/CONSTRAINT `[^`]+` CHECK/g, 'CHECK');
}

/** Every row with every column, those that are invisible included. */
export async function contentsOf(test: TestTable, table: string): Promise<unknown[]> {
  const columns = await test.query<{ Field: string; Type: string }>(`SHOW COLUMNS FROM ${table}`);
  const list = columns.map(({ Field, Type }) => {
    const name = `\`${Field.replaceAll('`', '``')}\``;
    return /^bit|binary|blob/.test(Type) ? `HEX(${name}) AS ${name}` : name;
  });
  return test.query(`SELECT ${list.join(', ')} FROM ${table} ORDER BY id`);
}

/** A copy of the original that a migration has kept, changed by the server itself. */
export async function makeNativeTwin(test: TestTable, old: string, alter: string): Promise<void> {
  const stored = await test.query<{ name: string }>(
    `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS
      WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND EXTRA NOT LIKE '%GENERATED%' ORDER BY ORDINAL_POSITION`,
    [test.database, old],
  );
  const list = stored.map(({ name }) => `\`${name.replaceAll('`', '``')}\``).join(', ');
  await test.query("SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_AUTO_VALUE_ON_ZERO')");
  await test.query(`CREATE TABLE native LIKE ${old}`);
  await test.query(`INSERT INTO native (${list}) SELECT ${list} FROM ${old}`);
  await test.query(`ALTER TABLE native ${alter}`);
}
