import { ByteReader } from './byte-reader';
import { HEADER_BYTES } from './event-header';
import { FieldType, metadataBytes } from './field-types';

/** Bytes of a table's number in table maps and rows events. */
export const TABLE_ID_BYTES = 6;
const FLAGS_BYTES = 2;

/** Where the names begin. */
export const NAMES_AT = HEADER_BYTES + TABLE_ID_BYTES + FLAGS_BYTES;

/** Bytes of both names, with their lengths and the zeros behind them. */
export function namesLength(event: Buffer): number {
  const schemaLength = event[NAMES_AT] ?? 0;
  const tableLength = event[NAMES_AT + 1 + schemaLength + 1] ?? 0;
  return schemaLength + tableLength + 4;
}

export function readNames(event: Buffer, end: number): { schema: string; table: string } {
  const reader = new ByteReader(event, NAMES_AT, end);
  const schema = reader.text(reader.uint(1));
  reader.skip(1);
  const table = reader.text(reader.uint(1));
  return { schema, table };
}

export interface MappedColumn {
  readonly type: number;
  readonly metadata: number;
}

/** What a table map tells of the columns. */
export interface TableDefinition {
  readonly columns: readonly MappedColumn[];
  /** Types, metadata and which may be NULL, as they came. */
  readonly required: Buffer;
  /** By their number: what the server's settings make it tell beside that (signs, character sets, names …). */
  readonly optional: ReadonlyMap<number, Buffer>;
}

export function readDefinition(event: Buffer, end: number): TableDefinition {
  const reader = new ByteReader(event, NAMES_AT + namesLength(event), end);
  const from = reader.offset;
  const count = reader.lengthEncoded();
  const types = reader.bytes(count);
  const metadata = reader.bytes(reader.lengthEncoded());
  reader.skip((count + 7) >> 3);
  // A copy: what the driver gave would keep the whole piece of the stream.
  const required = Buffer.from(event.subarray(from, reader.offset));
  return { columns: mappedColumns(types, metadata), required, optional: optionalFields(reader) };
}

function optionalFields(reader: ByteReader): Map<number, Buffer> {
  const fields = new Map<number, Buffer>();
  while (reader.left > 0) {
    const field = reader.uint(1);
    fields.set(field, Buffer.from(reader.bytes(reader.lengthEncoded())));
  }
  return fields;
}

/** Types and metadata as one number each, whatever way they are written. */
function mappedColumns(types: Buffer, metadata: Buffer): MappedColumn[] {
  const reader = new ByteReader(metadata, 0, metadata.length);
  return [...types].map((type) => {
    const bytes = reader.bytes(metadataBytes(type));
    const first = bytes[0] ?? 0;
    const second = bytes[1] ?? 0;
    switch (type) {
      case FieldType.varchar:
      case FieldType.compressedVarchar:
        return { type, metadata: first | (second << 8) };
      case FieldType.bit:
        // Bits that fill no byte, then whole bytes.
        return { type, metadata: first | (second << 8) };
      case FieldType.newDecimal:
        return { type, metadata: (first << 8) | second };
      case FieldType.string:
      case FieldType.varString:
      case FieldType.enum:
      case FieldType.set:
        return realType(first, second);
      default:
        return { type, metadata: first };
    }
  });
}

/** ENUM and SET are told as strings; two bits of a long CHAR's length are turned over in its type. */
function realType(first: number, second: number): MappedColumn {
  if (first === FieldType.enum || first === FieldType.set) return { type: first, metadata: second };
  return { type: FieldType.string, metadata: second | (((first & 0x30) ^ 0x30) << 4) };
}

/** Numbers of what a table map may tell beside the required. */
const OPTIONAL_NAMES: Readonly<Record<number, string>> = {
  1: 'signs of numbers',
  2: 'character sets',
  3: 'character sets',
  4: "columns' names",
  5: "a SET's members",
  6: "an ENUM's members",
  7: 'types of geometry',
  8: 'primary key',
  9: 'primary key',
  10: 'character sets',
  11: 'character sets',
  12: "columns' visibility",
  13: "vectors' dimensions",
};

/** How two table maps of one table differ; null when they do not, as far as both tell. */
export function definitionDifference(before: TableDefinition, now: TableDefinition): string | null {
  if (before.columns.length !== now.columns.length) {
    return `${now.columns.length} columns where there were ${before.columns.length}`;
  }
  if (!before.required.equals(now.required)) return "columns' types or whether they may be NULL";
  for (const [field, value] of now.optional) {
    // What is told depends on binlog_row_metadata, which may be changed at any time.
    const earlier = before.optional.get(field);
    if (earlier !== undefined && !earlier.equals(value)) return OPTIONAL_NAMES[field] ?? `field ${field}`;
  }
  return null;
}
