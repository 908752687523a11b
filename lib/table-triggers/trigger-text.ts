import { TokenCursor, isWord } from '../schema/token-cursor';
import { modesOfSqlMode, significant, tokenize, type Token } from '../schema/sql-tokens';

/** A trigger's definition, taken apart. The pieces are the text as it was written. */
export interface TriggerText {
  /** `DEFINER=…`, or nothing. */
  readonly definer: string;
  /** Timing and events: what stands between the trigger's name and ON. */
  readonly when: string;
  /** Offset right behind FOR EACH ROW: here a place in the order may be named. */
  readonly afterRow: number;
  /** What is done, comments included, without a semicolon at its end. */
  readonly body: string;
  /** The tokens of `when` and of the body, for those who look for names. */
  readonly tokens: readonly Token[];
}

/** @returns null for a text that is not understood */
export function readTriggerText(definition: string, sqlMode: string): TriggerText | null {
  const tokens = significant(tokenize(definition, modesOfSqlMode(sqlMode)));
  if (tokens.some(({ kind }) => kind === 'unterminated')) return null;
  const cursor = new TokenCursor(tokens);
  if (!cursor.accept('CREATE')) return null;
  cursor.accept('OR', 'REPLACE');
  const definerFrom = cursor.position;
  while (!cursor.done && !cursor.comes('TRIGGER')) cursor.skip();
  const definer = tokens.slice(definerFrom, cursor.position);
  cursor.skip();
  cursor.accept('IF', 'NOT', 'EXISTS');
  if (cursor.name() === null) return null;
  const whenFrom = cursor.position;
  while (!cursor.done && !cursor.comes('ON')) cursor.skip();
  const when = tokens.slice(whenFrom, cursor.position);
  if (!cursor.accept('ON') || cursor.name() === null) return null;
  const row = cursor.peek(2);
  if (!cursor.accept('FOR', 'EACH', 'ROW') || row === undefined) return null;
  // The servers leave a place in the order out of what they show.
  if (cursor.comes('FOLLOWS') || cursor.comes('PRECEDES')) return null;
  const body = tokens.slice(cursor.position);
  if (body.length === 0 || when.length === 0) return null;
  return {
    definer: textOf(definition, definer),
    when: textOf(definition, when),
    afterRow: row.end,
    body: definition.slice(row.end, beforeSemicolons(body)?.start).trim(),
    tokens: [...when, ...body],
  };
}

function textOf(definition: string, tokens: readonly Token[]): string {
  return definition.slice(tokens[0]?.start ?? 0, tokens.at(-1)?.end ?? 0);
}

/** The first of the semicolons at the end. */
function beforeSemicolons(tokens: readonly Token[]): Token | undefined {
  let end = tokens.length;
  while (isWord(tokens[end - 1], ';')) end -= 1;
  return tokens[end];
}
