import { id } from '../database/sql';
import type { MappedColumn } from './column-mapping';
import type { TablePair } from './table-pair';

/**
 * A pair as it is to be named now: once the tables have changed places the original bears the old table's name and the
 * new one the original's, and whoever goes on applying changes has to write so.
 */
export class PairView {
  private switched = false;
  private columnsOfOld: readonly MappedColumn[] | null = null;
  readonly pair: TablePair;

  /** @param mapColumns the select list for an origin of another name */
  constructor(
    private readonly given: TablePair,
    private readonly mapColumns: (origin: TablePair['origin']) => readonly MappedColumn[],
  ) {
    const named = (): Pick<TablePair, 'origin' | 'names' | 'columns'> => this.named();
    this.pair = {
      ...given,
      get origin() {
        return named().origin;
      },
      get names() {
        return named().names;
      },
      get columns() {
        return named().columns;
      },
    };
  }

  /** After the RENAME. */
  switchNames(): void {
    this.switched = true;
  }

  get isSwitched(): boolean {
    return this.switched;
  }

  /** Before it, or when it was taken back. */
  reset(): void {
    this.switched = false;
  }

  private named(): TablePair {
    const { given } = this;
    if (!this.switched) return given;
    const { table } = given.origin;
    const { old } = given.names;
    const createSql = given.origin.createSql.replace(`CREATE TABLE ${id(table)}`, `CREATE TABLE ${id(old)}`);
    const origin = { ...given.origin, table: old, createSql };
    this.columnsOfOld ??= this.mapColumns(origin);
    return { ...given, origin, names: { ...given.names, ghost: table }, columns: this.columnsOfOld };
  }
}
