import type { Value } from './binlog-events';
import type { PlannedColumn, TableLayout } from './table-layout';

/** Which columns an image has, prepared once for all rows that have the same. */
export interface ImageShape {
  readonly columns: readonly PlannedColumn[];
  /** Number of each of them among the table's JSON columns; −1 for any other. */
  readonly jsonIndexes: readonly number[];
  readonly bitmap: Buffer;
}

export function imageShape({ columns }: TableLayout, bitmap: Buffer): ImageShape {
  let json = 0;
  const jsonIndexes = columns.map((column) => (column.json ? json++ : -1));
  const present = (_: unknown, index: number): boolean =>
    ((bitmap[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
  return {
    columns: columns.filter(present),
    jsonIndexes: jsonIndexes.filter(present),
    // A copy: the event itself is not kept.
    bitmap: Buffer.from(bitmap),
  };
}

/** Reads the images of one rows event, one after the other. */
export class ImageReader {
  constructor(
    private readonly bytes: Buffer,
    public offset: number,
    private readonly end: number,
    private readonly wanted: number,
  ) {}

  /**
   * The wanted values of the next image.
   *
   * @param partial bitmap of the table's JSON columns: which have a difference in the place of their value
   * @throws RangeError when the image is not what the table map says
   */
  read(shape: ImageShape, partial: Buffer | null): Value[] {
    const { bytes } = this;
    const values = new Array<Value>(this.wanted).fill(undefined);
    const { columns } = shape;
    const nulls = this.offset;
    let at = nulls + ((columns.length + 7) >> 3);
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as PlannedColumn;
      if (((bytes[nulls + (index >> 3)] as number) >> (index & 7)) & 1) {
        if (column.slot >= 0) values[column.slot] = null;
        continue;
      }
      let start = at;
      if (column.fixed >= 0) {
        at += column.fixed;
      } else {
        const prefix = partial !== null && isPartial(shape, index, partial) ? 4 : column.prefix;
        start = at + prefix;
        at = start + lengthAt(bytes, at, prefix);
      }
      if (column.slot >= 0) values[column.slot] = column.read(bytes, start, at);
    }
    if (!(at <= this.end)) throw new RangeError('a row is longer than its event');
    this.offset = at;
    return values;
  }

  get done(): boolean {
    return this.offset >= this.end;
  }
}

function lengthAt(bytes: Buffer, at: number, prefix: number): number {
  if (prefix === 1) return bytes[at] as number;
  if (prefix === 2) return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return bytes.readUIntLE(at, prefix);
}

/** A difference has a length of four bytes, whatever the column's has. */
function isPartial({ jsonIndexes }: ImageShape, index: number, partial: Buffer): boolean {
  const json = jsonIndexes[index] ?? -1;
  return json >= 0 && ((partial[json >> 3] ?? 0) & (1 << (json & 7))) !== 0;
}
