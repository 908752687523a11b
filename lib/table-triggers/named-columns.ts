import type { Problem } from '../errors';
import type { Token } from '../schema/sql-tokens';
import { isWord } from '../schema/token-cursor';
import type { TablePair } from '../schema/table-pair';
import type { TableTrigger } from './table-trigger';
import { readTriggerText } from './trigger-text';

/**
 * Triggers that name a column which the new table does not have, or has for something else: with them every write after
 * the swap would fail, or do something else. A native ALTER lets that happen.
 */
export function refuseNamedColumns(
  { origin, mapping }: Pick<TablePair, 'origin' | 'mapping'>,
  triggers: readonly TableTrigger[],
): Problem[] {
  const gone = origin.columns
    .map(({ name }) => name)
    .filter((name) => mapping.get(name)?.toLowerCase() !== name.toLowerCase());
  return triggers.flatMap((trigger) => {
    const named = namedColumns(trigger, origin.table);
    const missed = gone.filter((name) => named.has(name.toLowerCase()));
    if (missed.length === 0) return [];
    const become = missed.map((name) => {
      const to = mapping.get(name);
      return to === undefined ? `'${name}', which is dropped` : `'${name}', which becomes '${to}'`;
    });
    return [
      {
        code: 'LHM_TRIGGER_COLUMN',
        message: `Trigger '${trigger.name}' (${trigger.when.join(', ')}) names ${become.join(' and ')}: every write that fires it would fail after the swap.`,
        hint: 'Replace the trigger by one that does without the column (to rename one: add the new column first, drop the old one in a later migration), or drop it, and run again.',
      },
    ];
  });
}

/**
 * What the trigger says of the row (`NEW.a`), in lower case; where it names the table itself, every name in it, because
 * one may be that table's column.
 */
export function namedColumns(trigger: TableTrigger, table: string): ReadonlySet<string> {
  const tokens = readTriggerText(trigger.definition, trigger.sqlMode)?.tokens ?? [];
  const itself = tokens.some((token) => isName(token) && token.value.toLowerCase() === table.toLowerCase());
  return new Set(
    tokens
      .filter((token, i) => isName(token) && (itself || ofRow(tokens, i) || inEvents(tokens, i)))
      .map(({ value }) => value.toLowerCase()),
  );
}

function ofRow(tokens: readonly Token[], i: number): boolean {
  const row = tokens[i - 2];
  return isWord(tokens[i - 1], '.') && row !== undefined && isName(row) && /^(?:new|old)$/i.test(row.value);
}

/** `UPDATE OF a, b`, before the body. */
function inEvents(tokens: readonly Token[], i: number): boolean {
  const of = tokens.findIndex((token) => isWord(token, 'OF'));
  if (of < 1 || (i - of) % 2 !== 1 || i < of || !isWord(tokens[of - 1], 'UPDATE')) return false;
  return tokens.slice(of + 1, i).every((token, at) => (at % 2 === 0 ? isName(token) : isWord(token, ',')));
}

function isName({ kind }: Token): boolean {
  return kind === 'word' || kind === 'quoted';
}
