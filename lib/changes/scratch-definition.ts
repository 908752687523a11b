import { id } from '../database/sql';
import { closingParenthesis, splitAtCommas } from '../schema/alter-clause-split';
import { significant, tokenize, type Token } from '../schema/sql-tokens';
import type { TablePair } from '../schema/table-pair';
import { isCounter, type Index } from '../schema/table-schema';

/**
 * A temporary table with the ghost's columns and CHECKs, and only the index by which rows are found; not LIKE the ghost,
 * because a temporary table can have neither partitions nor FULLTEXT indexes nor compression. ROW_FORMAT, because the
 * server's default may have no room for the ghost's rows.
 *
 * @param table its name, quoted
 */
export function scratchDefinition(pair: TablePair, table: string): string {
  const { createSql, indexes } = pair.ghost;
  const tokens = significant(tokenize(createSql));
  const open = tokens.findIndex((token) => isPunctuation(token, '('));
  const close = closingParenthesis(tokens, open, tokens.length);
  const elements = splitAtCommas(tokens, { from: open + 1, to: close }).flatMap(({ from, to }) => {
    // Up to the comma, so that the end of an executable comment (INVISIBLE) is in.
    const text = (first: number): string => createSql.slice(tokens[first]?.start, tokens[to]?.start);
    if (tokens[from]?.kind === 'quoted') return [text(from)];
    // Without its name, which may be unique in the schema.
    const check = tokens.findIndex((token, i) => i >= from && i <= from + 2 && isWord(token, 'CHECK'));
    return check >= 0 ? [text(check)] : [];
  });
  const key = indexes.find((index) => index.name === pair.key.ghostIndex);
  const counter = pair.ghost.columns.find(isCounter)?.name;
  const keys = [
    ...(key === undefined
      ? []
      : [`${key.name === 'PRIMARY' ? 'PRIMARY KEY' : `KEY ${id(key.name)}`} (${partsOf(key)})`]),
    ...(counter === undefined || key?.parts[0]?.column === counter ? [] : [`KEY (${id(counter)})`]),
  ];
  const charset = / DEFAULT CHARSET=\w+(?: COLLATE=\w+)?/.exec(
    createSql.slice(createSql.lastIndexOf('\n) ')),
  )?.[0];
  return `CREATE TEMPORARY TABLE ${table} (${[...elements, ...keys].join(', ')}) ENGINE=InnoDB ROW_FORMAT=DYNAMIC${charset ?? ''}`;
}

/** Its first columns, as far as they are whole: the chunk key's are. */
function partsOf({ parts }: Index): string {
  const names: string[] = [];
  for (const { column, prefix } of parts) {
    if (column === null || prefix !== null) break;
    names.push(id(column));
  }
  return names.join(', ');
}

function isPunctuation(token: Token, character: string): boolean {
  return token.kind !== 'quoted' && token.value === character;
}

function isWord(token: Token, word: string): boolean {
  return token.kind === 'word' && token.value.toUpperCase() === word;
}
