import { isDataError } from '../database/server-error';
import type { Session } from '../database/session';
import { id, qualified } from '../database/sql';
import type { TablePair } from '../schema/table-pair';
import { doesNotFit } from './does-not-fit';

/** Which of the losses a row shows, as a column of the answer. */
const PLACE = 'hadron_place';

/**
 * Finds rows whose values the servers would change without a word (see `silentLoss`), before they are copied.
 *
 * A row that gets such a value after it was looked at here has an entry in the journal, and is looked at again when that
 * is applied.
 */
export class LossFinder {
  constructor(private readonly pair: TablePair) {}

  /** Anew each time: the conditions bear the origin's name, which changes with the swap. */
  private get losses(): readonly {
    readonly column: string;
    readonly condition: string;
    readonly what: string;
  }[] {
    return this.pair.columns.flatMap(({ target, loss }) =>
      loss === null ? [] : [{ column: target, ...loss }],
    );
  }

  /**
   * @param condition over the origin: the rows about to be copied
   * @throws Refusal LHM_DATA_WOULD_BE_LOST that names the row and the column
   */
  async check(session: Session, condition: string): Promise<void> {
    if (this.losses.length === 0) return;
    const row = await this.first(session, condition);
    if (row === undefined) return;
    const { column, what } = this.losses[Number(row[PLACE])] ?? { column: '', what: '' };
    throw doesNotFit(
      this.pair,
      this.pair.key.originKeys.read(row),
      `the conversion would change its '${column}' without an error (${what})`,
      `give the value by columns.values (e.g. { ${column}: 'ROUND(…)' }), or set columns.allowDataLoss`,
    );
  }

  private async first(session: Session, condition: string): Promise<Record<string, unknown> | undefined> {
    const { key, origin, schema } = this.pair;
    const places = this.losses.map((loss, place) => `WHEN ${loss.condition} THEN ${place}`).join(' ');
    const any = this.losses.map((loss) => `(${loss.condition})`).join(' OR ');
    try {
      const [row] = await session.query(
        `SELECT ${key.originKeys.select(id(origin.table))}, CASE ${places} END AS ${PLACE}` +
          ` FROM ${qualified(schema, origin.table)} FORCE INDEX (${id(key.originIndex)})` +
          ` WHERE (${condition}) AND (${any}) LIMIT 1`,
      );
      return row;
    } catch (error) {
      // A value that cannot even be looked at stops the copy itself, which names it.
      if (isDataError(error)) return undefined;
      throw error;
    }
  }
}
