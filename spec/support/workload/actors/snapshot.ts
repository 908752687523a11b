import { compare } from '../compare';
import type { Category } from '../findings';
import type { Row } from '../row';
import type { Watch } from '../watch';
import type { Run } from './run';

/**
 * Judges rows that were read in an old view.
 *
 * A row with a partner has exactly the version that the partner has in the same view: this the server itself
 * vouches for, however often the row was changed meanwhile. All other rows that nobody changed since the view was
 * opened have to be as the ledger says.
 */
export function judge(
  run: Run,
  found: { readonly category: Category; readonly by: string },
  asked: Iterable<number>,
  rows: readonly Row[],
  partners: ReadonlyMap<number, number>,
  watch: Watch,
): void {
  const note = (id: number, detail: string): void => {
    run.tally.finding(found.category, found.by, id, detail);
  };
  const ids = [...asked];
  const versions = new Map(rows.map((row) => [row.id, row.pair_version]));
  for (const id of ids) {
    const version = partners.get(id);
    if (version === undefined) continue;
    const here = versions.get(id);
    if (here === undefined) note(id, `missing: its partner is at version ${version} in the same view`);
    else if (here !== version)
      note(id, `stale: version ${here}, its partner is at ${version} in the same view`);
  }
  for (const { category, id, detail } of compare(run.ledger, ids, rows, (id) => watch.changed(id))) {
    note(id, `${category}: ${detail}`);
  }
}

/** Runs one transaction with a view of its own, from before it is opened until it is closed. */
export async function withView(run: Run, body: (watch: Watch) => Promise<void>): Promise<void> {
  const watch = run.ledger.watch();
  run.tally.openViews += 1;
  try {
    await body(watch);
  } finally {
    run.tally.openViews -= 1;
    watch.close();
  }
}
