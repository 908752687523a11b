import { ByteReader } from './byte-reader';
import { HEADER_BYTES } from './event-header';
import { inflate } from './mariadb-compressed';

export interface QueryEvent {
  readonly schema: string;
  readonly sql: string;
}

/** Of LOAD DATA in statement format: the file's number, where its name stands, what becomes of duplicates. */
const LOAD_FIELDS = 13;

/** A statement of the log: `load` for EXECUTE_LOAD_QUERY, `compressed` for MariaDB's QUERY_COMPRESSED. */
export function readQuery(
  event: Buffer,
  end: number,
  how: { load?: boolean; compressed?: boolean } = {},
): QueryEvent {
  const reader = new ByteReader(event, HEADER_BYTES, end);
  reader.skip(8);
  const schemaLength = reader.uint(1);
  reader.skip(2);
  const variablesLength = reader.uint(2);
  if (how.load === true) reader.skip(LOAD_FIELDS);
  const variables = reader.bytes(variablesLength);
  const schema = reader.text(schemaLength);
  reader.skip(1);
  const text = how.compressed === true ? inflate(reader.rest()) : reader.rest();
  return { schema, sql: decode(text, variables) };
}

const LATIN1: ReadonlySet<number> = new Set([5, 8, 15, 31, 47, 48, 49, 94]);
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Statements are logged in the character set of who ran them. */
function decode(text: Buffer, variables: Buffer): string {
  if (LATIN1.has(clientCollation(variables) ?? 0)) return text.toString('latin1');
  try {
    return UTF8.decode(text);
  } catch {
    // Names in ASCII, and all that is asked of a statement, can be read all the same.
    return text.toString('latin1');
  }
}

/** The number of `character_set_client`, among the variables logged with a statement. */
function clientCollation(variables: Buffer): number | null {
  let at = 0;
  while (at < variables.length) {
    switch (variables[at++]) {
      case 0:
      case 3:
        at += 4;
        break;
      case 1:
        at += 8;
        break;
      case 4:
        return at + 2 <= variables.length ? variables.readUInt16LE(at) : null;
      case 6:
        at += 1 + (variables[at] ?? 0);
        break;
      default:
        return null;
    }
  }
  return null;
}
