import { comparePositions, type BinlogPosition } from './binlog-position';
import type { StreamedTable } from './streamed-table';
import { ShapeCache } from './rows-event';
import { NAMES_AT, namesLength, readDefinition, readNames } from './table-map';
import { WatchedTable, type TableLayout } from './table-layout';

interface Name {
  readonly schema: string;
  readonly table: string;
}

/** A wanted table goes on under another name. */
export interface Rename {
  readonly from: Name;
  readonly to: Name;
}

/** What the number of a table stands for until the log goes on in another file. */
interface Mapping {
  /** Of the table map from the names on: as a whole where the table is wanted, the names only where it is not. */
  readonly raw: Buffer;
  readonly layout: TableLayout | null;
  readonly shapes: ShapeCache | null;
}

/** Numbers kept before those of tables that nobody writes any more are forgotten. */
const MOST_MAPPINGS = 10_000;

/** The wanted tables, and which number the log knows each table by at the moment. */
export class StreamedTables {
  private watched: Map<string, WatchedTable>;
  /** Followed so far, in the order of the log. */
  private renames: { readonly rename: Rename; readonly at: BinlogPosition }[] = [];
  private readonly mappings = new Map<number, Mapping>();
  private readonly told = new Set<string>();

  /**
   * @param foldsNames names are the same whatever the case
   * @param mayHide the server logs columns that its schema does not tell of
   */
  constructor(
    private readonly tables: readonly StreamedTable[],
    private readonly foldsNames: boolean,
    mayHide = false,
  ) {
    this.watched = new Map(tables.map((table) => [this.nameOf(table), new WatchedTable(table, mayHide)]));
  }

  /** The names are what they are at this place of the log from here on, however far it was read before. */
  goBackTo(place: BinlogPosition): void {
    const before = this.renames.filter(({ at }) => comparePositions(at, place) <= 0);
    const all = new Map([...this.watched.values()].map((table) => [table.wanted, table]));
    this.watched = new Map();
    for (const wanted of this.tables) {
      const table = all.get(wanted);
      if (table !== undefined) this.watched.set(this.nameOf(wanted), table);
    }
    this.renames = [];
    for (const { rename, at } of before) this.rename(rename, at);
  }

  /**
   * Rows of the table are told from here on when they are written under the new name, and those under the old name are
   * somebody else's.
   *
   * @param at behind the statement
   */
  rename(rename: Rename, at: BinlogPosition): void {
    this.renames.push({ rename, at });
    const from = this.nameOf(rename.from);
    const table = this.watched.get(from);
    if (table === undefined) return;
    this.watched.delete(from);
    this.watched.set(this.nameOf(rename.to), table);
    this.mappings.clear();
  }

  /** Whether a wanted table is called otherwise than at first, at the place that was read last. */
  isRenamed(key: string): boolean {
    const wanted = this.tables.find((table) => table.key === key);
    return wanted !== undefined && this.watched.get(this.nameOf(wanted))?.wanted !== wanted;
  }

  /**
   * Takes in a table map.
   *
   * @returns what became of a wanted table that is not what it was, when that is seen for the first time
   */
  map(id: number, event: Buffer, end: number): { table: string; difference: string } | null {
    const known = this.mappings.get(id);
    if (known !== undefined && sameMap(known, event, end)) return null;
    const wanted = this.watched.get(this.nameOf(readNames(event, end)));
    if (wanted === undefined) {
      this.mappings.set(id, { raw: copy(event, NAMES_AT + namesLength(event)), layout: null, shapes: null });
      return null;
    }
    const met = wanted.meet(readDefinition(event, end));
    const layout = typeof met === 'string' ? null : met;
    const shapes = layout === null ? null : new ShapeCache(layout);
    // Numbers that stood for it as it was before do not count any more.
    if (layout === null) this.mappings.clear();
    this.mappings.set(id, { raw: copy(event, end), layout, shapes });
    const { key } = wanted.wanted;
    if (typeof met !== 'string' || this.told.has(key)) return null;
    this.told.add(key);
    return { table: key, difference: met };
  }

  /** The layout of the table with this number; null when nobody wants it, undefined when no table map came. */
  layout(id: number): TableLayout | null | undefined {
    return this.mappings.get(id)?.layout;
  }

  shapes(id: number): ShapeCache | null {
    return this.mappings.get(id)?.shapes ?? null;
  }

  /** Between transactions, where numbers are not needed any more. */
  forgetSome(): void {
    if (this.mappings.size > MOST_MAPPINGS) this.mappings.clear();
  }

  /** A server that was restarted gives its numbers anew. */
  forgetAll(): void {
    this.mappings.clear();
  }

  private nameOf({ schema, table }: { schema: string; table: string }): string {
    const name = `${schema}\0${table}`;
    return this.foldsNames ? name.toLowerCase() : name;
  }
}

function copy(event: Buffer, end: number): Buffer {
  return Buffer.from(event.subarray(NAMES_AT, end));
}

function sameMap({ raw, layout }: Mapping, event: Buffer, end: number): boolean {
  const to = layout === null ? Math.min(end, NAMES_AT + raw.length) : end;
  return raw.equals(event.subarray(NAMES_AT, to));
}
