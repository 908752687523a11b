import type { TestTable } from '../test-table';
import { until } from '../test-table-process-list';

/** The changelog of the migration that runs. */
export async function changelogOf(test: TestTable): Promise<string> {
  const name = (await test.tables()).find((table) => table.includes('_lhmc_'));
  if (name === undefined) throw new Error('there is no changelog');
  return name;
}

/** Until so many heartbeats have been committed later than now. */
export async function nextMarks(test: TestTable, count: number): Promise<void> {
  const changelog = await changelogOf(test);
  const newest = async (): Promise<number> => {
    const [row] = await test.query<{ mark: string }>(`SELECT MAX(mark) AS mark FROM ${changelog}`);
    return Number(row?.mark);
  };
  const before = await newest();
  await until('a mark', async () => (await newest()) >= before + count || undefined);
}

/** How far the log was read, as it is written down for a restart: JSON; null before that. */
export async function placeWrittenDown(test: TestTable): Promise<string | null> {
  const [row] = await test.query<{ position: string | null }>(
    `SELECT position FROM ${await changelogOf(test)} WHERE id = 2`,
  );
  return row?.position ?? null;
}
