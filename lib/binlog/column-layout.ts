import { unreadable } from './binlog-errors';
import { FieldType } from './field-types';
import type { ColumnFacts } from './streamed-table';
import { decimal, decimalBytes } from './values/decimal';
import { inet4, inet6, uuid } from './values/fixed-binary';
import { bit, double, float, integer, member, year } from './values/numbers';
import { oldDatetime, oldTime, oldTimestamp } from './values/old-temporal';
import { bytes, characters } from './values/strings';
import { date, datetime, fractionBytes, time, timestamp } from './values/temporal';
import type { ValueReader } from './values/value-reader';

/** How the values of a column stand in a row image. */
export interface ColumnLayout {
  /** Bytes of every value; −1 where each value tells its own length. */
  readonly fixed: number;
  /** Bytes of that length. */
  readonly prefix: number;
  /** MySQL's JSON, of which an image may hold the difference only. */
  readonly json: boolean;
  /** null for values that cannot be given as a literal. */
  readonly read: ValueReader | null;
}

function fixed(length: number, read: ValueReader): ColumnLayout {
  return { fixed: length, prefix: 0, json: false, read };
}

function varying(prefix: number, read: ValueReader | null, json = false): ColumnLayout {
  return { fixed: -1, prefix, json, read };
}

/** What the bytes mean that have a length of their own. */
function reader({ dataType, charset }: ColumnFacts): ValueReader {
  if (dataType === 'uuid') return uuid;
  if (dataType === 'inet6') return inet6;
  if (dataType === 'inet4') return inet4;
  return charset === null || charset === 'binary' ? bytes : characters(charset);
}

/** Digits of the fraction, in old formats. */
function digitsOf({ columnType }: ColumnFacts): number {
  return Number(/\((\d)\)/.exec(columnType)?.[1] ?? 0);
}

/**
 * @param type the type's number in the table map, as `tableColumns` gives it
 * @param metadata what the table map says beside it
 * @throws Refusal LHM_BINLOG_UNREADABLE for a type that is not known: nothing behind it could be read either
 */
export function columnLayout(type: number, metadata: number, facts: ColumnFacts): ColumnLayout {
  const unsigned = /unsigned|zerofill/i.test(facts.columnType);
  switch (type) {
    case FieldType.tiny:
      return fixed(1, integer(1, unsigned));
    case FieldType.short:
      return fixed(2, integer(2, unsigned));
    case FieldType.int24:
      return fixed(3, integer(3, unsigned));
    case FieldType.long:
      return fixed(4, integer(4, unsigned));
    case FieldType.longlong:
      return fixed(8, integer(8, unsigned));
    case FieldType.float:
      return fixed(4, float);
    case FieldType.double:
      return fixed(8, double);
    case FieldType.newDecimal:
      return fixed(decimalBytes(metadata >> 8, metadata & 255), decimal(metadata >> 8, metadata & 255));
    case FieldType.year:
      return fixed(1, year);
    case FieldType.date:
    case FieldType.newDate:
      return fixed(3, date);
    case FieldType.time2:
      return fixed(3 + fractionBytes(metadata), time(metadata));
    case FieldType.datetime2:
      return fixed(5 + fractionBytes(metadata), datetime(metadata));
    case FieldType.timestamp2:
      return fixed(4 + fractionBytes(metadata), timestamp(metadata));
    case FieldType.time:
      return old(oldTime(digitsOf(facts)));
    case FieldType.datetime:
      return old(oldDatetime(digitsOf(facts)));
    case FieldType.timestamp:
      return old(oldTimestamp(digitsOf(facts)));
    case FieldType.bit:
      return fixed((metadata >> 8) + (metadata & 255 ? 1 : 0), bit);
    case FieldType.enum:
    case FieldType.set:
      return fixed(metadata, member);
    case FieldType.varchar:
    case FieldType.varString:
    case FieldType.string:
      return varying(metadata < 256 ? 1 : 2, reader(facts));
    case FieldType.tinyBlob:
    case FieldType.mediumBlob:
    case FieldType.longBlob:
    case FieldType.blob:
      return varying(metadata, reader(facts));
    case FieldType.geometry:
    case FieldType.vector:
      return varying(metadata, bytes);
    case FieldType.json:
      return varying(metadata, null, true);
    case FieldType.compressedBlob:
      return varying(metadata, null);
    case FieldType.compressedVarchar:
      return varying(metadata < 256 ? 1 : 2, null);
    case FieldType.null:
      return fixed(0, () => 'NULL');
    default:
      throw unreadable(
        `column '${facts.name}' is of a type that is not known (${type}, ${facts.columnType}).`,
      );
  }
}

function old({ bytes: length, read }: { bytes: number; read: ValueReader }): ColumnLayout {
  return fixed(length, read);
}
