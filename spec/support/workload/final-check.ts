import type { Client } from './client';
import { brief, compare } from './compare';
import type { Doubt, Ledger } from './ledger';
import { LANE, Layout } from './layout';
import { difference, fromCells, type Row } from './row';
import { COLUMN_LIST } from './statements';
import type { Tables } from './tables';
import type { Tally } from './tally';

const PAGE = 5000;

export interface RowCounts {
  /** Rows that must be there; those that may or may not be are not counted. */
  readonly expected: number;
  /** Rows that are there. */
  readonly actual: number;
}

/** Compares every row of the table, looked up under its name, with the ledger. Nobody may write meanwhile. */
export async function finalCheck(
  client: Client,
  tables: Tables,
  ledger: Ledger,
  tally: Tally,
): Promise<RowCounts> {
  const doubtful = new Map<number, Row>();
  const counts = { expected: 0, actual: 0 };
  const sql = `SELECT ${COLUMN_LIST} FROM ${tables.ledger} WHERE id > ? ORDER BY id LIMIT ${PAGE}`;
  for (let last = Number.MIN_SAFE_INTEGER, full = true; full;) {
    const rows = (await client.rows(sql, [last])).map(fromCells);
    full = rows.length === PAGE;
    const to = full ? rows.at(-1)!.id : Number.MAX_SAFE_INTEGER;
    const asked = [...ledger.idsBetween(last + 1, to)];
    for (const { category, id, detail } of compare(ledger, asked, rows, () => false)) {
      tally.finding(category, 'final comparison', id, detail);
    }
    for (const row of rows) if (ledger.uncertain(row.id)) doubtful.set(row.id, row);
    counts.expected += asked.filter((id) => !ledger.uncertain(id) && ledger.expected(id) !== null).length;
    counts.actual += rows.length;
    last = to;
  }
  await checkCount(client, tables, counts.actual, tally);
  for (const doubt of ledger.doubts) settle(doubt, doubtful, tally);
  await checkPairs(client, tables, ledger, tally);
  return counts;
}

/** Rows without an id, or with one that another row has too, are not met on the way along the ids. */
async function checkCount(client: Client, tables: Tables, met: number, tally: Tally): Promise<void> {
  const [[count] = []] = await client.rows(`SELECT COUNT(*) FROM ${tables.ledger}`);
  if (Number(count) === met) return;
  tally.finding('extra', 'final comparison', null, `${String(count)} rows in all, but ${met} along the ids`);
}

/** Either all of it happened or nothing of it. */
function settle(doubt: Doubt, actual: ReadonlyMap<number, Row>, tally: Tally): void {
  const differs = (states: ReadonlyMap<number, Row | null>): boolean =>
    [...states].some(([id, expected]) => {
      const row = actual.get(id);
      if (expected === null || row === undefined) return (expected === null) !== (row === undefined);
      return difference(expected, row) !== '';
    });
  if (!differs(doubt.before) || !differs(doubt.after)) return;
  for (const id of doubt.after.keys()) {
    const row = actual.get(id);
    const now = row === undefined ? 'missing' : brief(row);
    tally.finding('wrong', doubt.by, id, `neither as before nor as after a COMMIT without an answer: ${now}`);
  }
}

/** The pair table is never migrated: a difference here is a flaw of the workload or of the server. */
async function checkPairs(client: Client, tables: Tables, ledger: Ledger, tally: Tally): Promise<void> {
  const seen = new Map<number, number>();
  for (const [id, version] of await client.rows(`SELECT id, version FROM ${tables.pair}`)) {
    seen.set(Number(id), Number(version));
  }
  const { span } = ledger.layout;
  for (let id = Layout.id(LANE.paired, 0); id <= span; id += 10) {
    if (ledger.uncertain(id)) continue;
    const version = ledger.expected(id)!.pair_version;
    if (seen.get(id) === version) continue;
    tally.finding('wrong', 'pair table', id, `version ${seen.get(id) ?? 'missing'} instead of ${version}`);
  }
}
