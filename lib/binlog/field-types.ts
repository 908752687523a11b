/** Numbers of column types in a table map. */
export const FieldType = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newDate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  compressedBlob: 140,
  compressedVarchar: 141,
  vector: 242,
  json: 245,
  newDecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

/** Bytes that a type has in a table map's metadata. */
export function metadataBytes(type: number): number {
  switch (type) {
    case FieldType.float:
    case FieldType.double:
    case FieldType.timestamp2:
    case FieldType.datetime2:
    case FieldType.time2:
    case FieldType.json:
    case FieldType.tinyBlob:
    case FieldType.mediumBlob:
    case FieldType.longBlob:
    case FieldType.blob:
    case FieldType.geometry:
    case FieldType.vector:
    case FieldType.compressedBlob:
      return 1;
    case FieldType.varchar:
    case FieldType.compressedVarchar:
    case FieldType.bit:
    case FieldType.newDecimal:
    case FieldType.enum:
    case FieldType.set:
    case FieldType.varString:
    case FieldType.string:
      return 2;
    default:
      return 0;
  }
}

const TEXTS = [
  FieldType.tinyBlob,
  FieldType.mediumBlob,
  FieldType.longBlob,
  FieldType.blob,
  FieldType.compressedBlob,
];
const VARYING = [FieldType.varchar, FieldType.varString, FieldType.compressedVarchar];

/** Which types a column may have in a table map, by its type's name. Names that are not here are not checked. */
const BY_NAME: Readonly<Record<string, readonly number[]>> = {
  tinyint: [FieldType.tiny],
  smallint: [FieldType.short],
  mediumint: [FieldType.int24],
  int: [FieldType.long],
  bigint: [FieldType.longlong],
  decimal: [FieldType.newDecimal],
  float: [FieldType.float],
  double: [FieldType.double],
  bit: [FieldType.bit],
  year: [FieldType.year],
  date: [FieldType.date, FieldType.newDate],
  time: [FieldType.time, FieldType.time2],
  datetime: [FieldType.datetime, FieldType.datetime2],
  timestamp: [FieldType.timestamp, FieldType.timestamp2],
  char: [FieldType.string],
  binary: [FieldType.string],
  varchar: VARYING,
  varbinary: VARYING,
  tinytext: TEXTS,
  text: TEXTS,
  mediumtext: TEXTS,
  longtext: TEXTS,
  tinyblob: TEXTS,
  blob: TEXTS,
  mediumblob: TEXTS,
  longblob: TEXTS,
  enum: [FieldType.enum],
  set: [FieldType.set],
};

export function typeFits(type: number, dataType: string): boolean {
  return BY_NAME[dataType]?.includes(type) ?? true;
}
