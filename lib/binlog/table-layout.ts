import { unreadable } from './binlog-errors';
import { columnLayout, type ColumnLayout } from './column-layout';
import { FieldType, typeFits } from './field-types';
import type { ColumnFacts, StreamedTable } from './streamed-table';
import { definitionDifference, type TableDefinition } from './table-map';
import type { ValueReader } from './values/value-reader';

/** A column of the table, and what to do with its value. */
export interface PlannedColumn extends Pick<ColumnLayout, 'fixed' | 'prefix' | 'json'> {
  /** The value's place in the images given; −1 for one that is passed over. */
  readonly slot: number;
  readonly read: ValueReader;
}

/** How the rows of a wanted table are read. */
export interface TableLayout {
  readonly key: string;
  readonly columns: readonly PlannedColumn[];
  readonly wanted: number;
  readonly jsonColumns: number;
}

/** One wanted table, with the definition that was seen first: any other one means that it was altered. */
export class WatchedTable {
  private definition: TableDefinition | null = null;
  private layout: TableLayout | null = null;
  private alteration: string | null = null;

  /** @param mayHide the server may hide columns behind all others, which the facts lack */
  constructor(
    readonly wanted: StreamedTable,
    private readonly mayHide: boolean,
  ) {
    const missing = wanted.wanted.find((name) => !wanted.columns.some((column) => column.name === name));
    if (missing !== undefined) throw new Error(`${wanted.key} has no column '${missing}'`);
  }

  /** The layout, or how the table was altered. */
  meet(definition: TableDefinition): TableLayout | string {
    this.alteration ??=
      this.definition === null
        ? factsDifference(this.wanted.columns, definition, this.mayHide)
        : definitionDifference(this.definition, definition);
    if (this.alteration !== null) return this.alteration;
    this.definition ??= definition;
    return (this.layout ??= layoutOf(this.wanted, definition));
  }
}

/** MariaDB hides a column with a hash behind all others, one for each unique key over a BLOB. */
const HIDDEN = FieldType.longlong;

function factsDifference(
  facts: readonly ColumnFacts[],
  { columns }: TableDefinition,
  mayHide: boolean,
): string | null {
  const hidden = columns.slice(facts.length);
  if (columns.length < facts.length || hidden.some(({ type }) => !mayHide || type !== HIDDEN)) {
    return `${columns.length} columns where there were ${facts.length}`;
  }
  const wrong = facts.find(({ dataType }, index) => !typeFits(columns[index]?.type ?? 0, dataType));
  return wrong === undefined ? null : `column '${wrong.name}' is no longer ${wrong.columnType}`;
}

const hiddenFacts: ColumnFacts = {
  name: '(hidden)',
  dataType: 'bigint',
  columnType: 'bigint',
  charset: null,
};

function layoutOf({ key, columns, wanted }: StreamedTable, definition: TableDefinition): TableLayout {
  const planned = definition.columns.map(({ type, metadata }, index): PlannedColumn => {
    const facts = columns[index] ?? hiddenFacts;
    const slot = wanted.indexOf(facts.name);
    const layout = columnLayout(type, metadata, facts);
    if (slot >= 0 && layout.read === null) {
      throw unreadable(`values of column '${facts.name}' (${facts.columnType}) cannot be given as they are.`);
    }
    return { ...layout, slot, read: layout.read ?? (() => 'NULL') };
  });
  return {
    key,
    columns: planned,
    wanted: wanted.length,
    jsonColumns: planned.filter(({ json }) => json).length,
  };
}
