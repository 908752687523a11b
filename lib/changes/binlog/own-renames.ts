import type { Rename } from '../../binlog/streamed-tables';
import { tokenize, type Token } from '../../schema/sql-tokens';
import type { TablePair } from '../../schema/table-pair';

/** The names that the tables of a migration bear, whichever of them bears which at the moment. */
export interface SwapNames {
  readonly schema: string;
  readonly origin: string;
  readonly ghost: string;
  readonly old: string;
}

/** As they are before anything is renamed. */
export function swapNamesOf({ schema, origin, names }: TablePair): SwapNames {
  return { schema, origin: origin.table, ghost: names.ghost, old: names.old };
}

/** What the table is called after them. */
export function follow(table: string, renames: readonly Rename[]): string {
  return renames.reduce((name, { from, to }) => (from.table === name ? to.table : name), table);
}

/**
 * What a statement of the binary log renames, when it is one of the cut-over's own: the swap in one step or one half of it,
 * and either of them taken back. Empty for every other statement.
 *
 * @param schema the default one of who ran it
 */
export function ownRenames(names: SwapNames, schema: string, sql: string): readonly Rename[] {
  if (!/^\s*(?:RENAME|ALTER)\b/i.test(sql)) return [];
  const tokens = tokenize(sql).filter(({ kind, value }) => kind !== 'comment' && value !== ';');
  const own = [names.origin, names.ghost, names.old];
  const renames = renamesIn(tokens, schema);
  const ours = renames.every(
    ({ from, to }) =>
      [from, to].every((name) => name.schema === names.schema) &&
      own.includes(from.table) &&
      own.includes(to.table),
  );
  return ours ? renames : [];
}

/** `RENAME TABLE a TO b, …` and `ALTER TABLE a RENAME TO b`; anything more or else is not told. */
function renamesIn(tokens: readonly Token[], schema: string): Rename[] {
  const words = new Words(tokens, schema);
  const renames: Rename[] = [];
  if (words.skip('ALTER', 'TABLE')) {
    const from = words.name();
    const to = words.skip('RENAME', 'TO') ? words.name() : null;
    return from !== null && to !== null && words.atEnd ? [{ from, to }] : [];
  }
  if (!words.skip('RENAME', 'TABLE')) return [];
  do {
    const from = words.name();
    const to = words.skip('TO') ? words.name() : null;
    if (from === null || to === null) return [];
    renames.push({ from, to });
  } while (words.skip(','));
  return words.atEnd ? renames : [];
}

class Words {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly schema: string,
  ) {}

  get atEnd(): boolean {
    return this.at >= this.tokens.length;
  }

  /** Goes behind the words when they are what comes next. */
  skip(...words: readonly string[]): boolean {
    const here = words.every((word, i) => {
      const token = this.tokens[this.at + i];
      return token !== undefined && token.kind !== 'quoted' && token.value.toUpperCase() === word;
    });
    if (here) this.at += words.length;
    return here;
  }

  name(): { schema: string; table: string } | null {
    const first = this.part();
    if (first === null) return null;
    if (this.tokens[this.at]?.value !== '.') return { schema: this.schema, table: first };
    this.at += 1;
    const table = this.part();
    return table === null ? null : { schema: first, table };
  }

  private part(): string | null {
    const token = this.tokens[this.at];
    if (token === undefined || (token.kind !== 'word' && token.kind !== 'quoted')) return null;
    this.at += 1;
    return token.value;
  }
}
