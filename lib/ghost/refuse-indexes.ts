import { Refusal } from '../errors';
import { significant, tokenize } from '../schema/sql-tokens';
import { columnNamed, type TableSchema } from '../schema/table-schema';

/** How InnoDB takes the numbers of a FULLTEXT index's documents from the application. */
const DOCUMENT = 'FTS_DOC_ID';

/**
 * Indexes of the new definition under which changed rows cannot be taken out and put in again, or of which nobody can say
 * which rows stand in each other's way.
 *
 * @throws Refusal LHM_UNSUPPORTED_INDEX
 */
export function refuseIndexes(ghost: TableSchema): void {
  const words = ghost.indexes.find((index) => index.type === 'FULLTEXT');
  if (words !== undefined && columnNamed(ghost, DOCUMENT)?.name === DOCUMENT) {
    throw unsupported(
      `the FULLTEXT index '${words.name}' and a column ${DOCUMENT} of your own, under which no row may be written again`,
      `Leave the column to InnoDB, which keeps a hidden one, or use a native ALTER TABLE.`,
    );
  }
  const elements = ghost.indexes.find(
    ({ unique, parts }) => unique && parts.some(({ expression }) => / array\)$/i.test(expression ?? '')),
  );
  if (elements !== undefined) {
    throw unsupported(
      `the unique index '${elements.name}' over the elements of an array`,
      'Make it an index that is not unique, or use a native ALTER TABLE.',
    );
  }
  if (keepsPeriodsApart(ghost)) {
    throw unsupported(
      'a key WITHOUT OVERLAPS, which rows that are not the same may break',
      'Drop it first and add it again afterwards, or use a native ALTER TABLE.',
    );
  }
}

function keepsPeriodsApart({ createSql }: TableSchema): boolean {
  const tokens = significant(tokenize(createSql));
  const is = (at: number, word: string): boolean =>
    tokens[at]?.kind === 'word' && tokens[at].value.toUpperCase() === word;
  return tokens.some((_, i) => is(i, 'WITHOUT') && is(i + 1, 'OVERLAPS'));
}

function unsupported(what: string, wayOut: string): Refusal {
  return new Refusal('LHM_UNSUPPORTED_INDEX', `The new definition has ${what}.`, wayOut);
}
