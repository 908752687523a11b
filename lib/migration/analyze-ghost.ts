import type { ServerCapabilities } from '../database/server-capabilities';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import { columnNamed } from '../schema/table-schema';
import type { TablePair } from '../schema/table-pair';

interface Histogram {
  readonly name: string;
  readonly buckets: number;
  readonly auto: number | null;
}

/**
 * Gathers the statistics by which the optimizer will judge the new table, while nobody uses it yet: without them the first
 * queries after the swap would be planned blindly. Histograms as the origin has them; what an ALTER would drop is left out.
 */
export async function analyzeGhost(
  session: Session,
  pair: TablePair,
  server: ServerCapabilities,
): Promise<void> {
  const ghost = qualified(pair.schema, pair.names.ghost);
  await session.execute(`ANALYZE TABLE ${ghost}`);
  if (!server.histograms) return;
  const histograms = await readHistograms(session, pair);
  await session.execute('COMMIT');
  for (const { name, buckets, auto } of histograms) {
    const target = sameColumn(pair, name);
    if (target === null) continue;
    const updated = Number(auto) === 1 ? ' AUTO UPDATE' : '';
    await session.execute(
      `ANALYZE TABLE ${ghost} UPDATE HISTOGRAM ON ${id(target)} WITH ${buckets} BUCKETS${updated}`,
    );
  }
}

function readHistograms(session: Session, { schema, origin }: TablePair): Promise<Histogram[]> {
  return session.query<Histogram>(
    `SELECT COLUMN_NAME AS name, JSON_EXTRACT(HISTOGRAM, '$."number-of-buckets-specified"') + 0 AS buckets,
            JSON_EXTRACT(HISTOGRAM, '$."auto-update"') = TRUE AS auto
       FROM information_schema.COLUMN_STATISTICS WHERE SCHEMA_NAME = ? AND TABLE_NAME = ? ORDER BY COLUMN_NAME`,
    [schema, origin.table],
  );
}

/** What the column is called in the new table; null where it is gone or converted. */
function sameColumn({ origin, ghost, mapping }: TablePair, name: string): string | null {
  const target = mapping.get(name);
  if (target === undefined) return null;
  const [before, after] = [columnNamed(origin, name), columnNamed(ghost, target)];
  const same = before?.columnType === after?.columnType && before?.collation === after?.collation;
  return same ? target : null;
}
