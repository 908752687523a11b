import type { RowImages } from './binlog-events';
import { unreadable } from './binlog-errors';
import { ByteReader } from './byte-reader';
import { HEADER_BYTES } from './event-header';
import type { RowsKind } from './event-types';
import { inflate } from './mariadb-compressed';
import { ImageReader, imageShape, type ImageShape } from './row-images';
import { TABLE_ID_BYTES } from './table-map';
import type { TableLayout } from './table-layout';

export function tableIdOf(event: Buffer): number {
  return event.readUIntLE(HEADER_BYTES, TABLE_ID_BYTES);
}

/** An update's after-image may hold differences of JSON values. */
const PARTIAL_JSON = 1;

/** Shapes of a table's images that were seen last: nearly always the same from event to event. */
export class ShapeCache {
  private readonly shapes: ImageShape[] = [];

  constructor(private readonly layout: TableLayout) {}

  /** `place`: 0 for the first bitmap of an event, 1 for the second. */
  get(place: 0 | 1, bitmap: Buffer): ImageShape {
    const last = this.shapes[place];
    if (last?.bitmap.equals(bitmap) === true) return last;
    return (this.shapes[place] = imageShape(this.layout, bitmap));
  }
}

/** The rows of an event of a wanted table. */
export function readRows(
  event: Buffer,
  end: number,
  kind: RowsKind,
  layout: TableLayout,
  shapes: ShapeCache,
): RowImages[] {
  const reader = new ByteReader(event, HEADER_BYTES + TABLE_ID_BYTES + 2, end);
  // The length counts its own two bytes.
  if (kind.extra) reader.skip(reader.uint(2) - 2);
  const count = reader.lengthEncoded();
  if (count !== layout.columns.length) {
    throw unreadable(`a row of ${layout.key} has ${count} columns, its table map ${layout.columns.length}.`);
  }
  const bitmapBytes = (count + 7) >> 3;
  const first = shapes.get(0, reader.bytes(bitmapBytes));
  const second = kind.action === 'update' ? shapes.get(1, reader.bytes(bitmapBytes)) : first;
  const body = kind.compressed ? inflate(reader.rest()) : event;
  const images = new ImageReader(
    body,
    kind.compressed ? 0 : reader.offset,
    kind.compressed ? body.length : end,
    layout.wanted,
  );
  const rows: RowImages[] = [];
  // An image without any column takes no byte, so there are as many rows as one likes: one tells that there was something.
  do {
    const from = images.offset;
    if (kind.action === 'insert') rows.push({ after: images.read(first, null) });
    else if (kind.action === 'delete') rows.push({ before: images.read(first, null) });
    else {
      const before = images.read(first, null);
      const partial = kind.partial ? partialBits(body, images, layout) : null;
      rows.push({ before, after: images.read(second, partial) });
    }
    if (images.offset === from && !images.done) throw new RangeError('rows without columns have a length');
  } while (!images.done);
  return rows;
}

function partialBits(body: Buffer, images: ImageReader, { jsonColumns }: TableLayout): Buffer | null {
  const reader = new ByteReader(body, images.offset, body.length);
  const options = reader.lengthEncoded();
  const bits = (options & PARTIAL_JSON) === 0 ? null : reader.bytes((jsonColumns + 7) >> 3);
  images.offset = reader.offset;
  return bits;
}
