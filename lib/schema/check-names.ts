import { characters, MAX_LENGTH } from './derived-names';
import type { Token } from './sql-tokens';
import { isWord } from './token-cursor';

/** What a copy of a constraint is called for as long as the original keeps its name. */
const COPY = /_lhmn\d*$/;

/**
 * Names for the ghost's CHECK constraints on MySQL, where they are unique in a schema, and where a table can neither give
 * its constraint another name nor take one that is enforced without copying all its rows.
 *
 * The server renames a constraint called `<table>_chk_…` with its table, so copies named after the ghost become named
 * after the table at the swap. Others get a suffix; the next migration takes it off again, if the old table is gone.
 *
 * @param checks the origin's constraints
 * @param taken every constraint's name in the schema
 * @returns constraint of the origin → its copy on the ghost
 */
export function copiesOfChecks(
  checks: readonly string[],
  table: string,
  ghost: string,
  taken: readonly string[],
): Map<string, string> {
  const used = new Set([...taken, ...checks].map((name) => name.toLowerCase()));
  const copies = new Map<string, string>();
  const prefix = `${table}_chk_`;
  for (const check of checks) {
    const copy = check.startsWith(prefix)
      ? `${ghost}_chk_${check.slice(prefix.length)}`
      : freeName(check.replace(COPY, ''), used);
    used.add(copy.toLowerCase());
    copies.set(check, copy);
  }
  return copies;
}

/**
 * Constraints that the server would have to rename to something too long at the swap, when the table becomes the old one.
 */
export function tooLongWhenRenamed(
  checks: readonly string[],
  table: string,
  names: readonly string[],
): string[] {
  const longest = Math.max(...names.map((name) => characters(name).length));
  const grows = longest - characters(table).length;
  return checks.filter(
    (check) => check.startsWith(`${table}_chk_`) && characters(check).length + grows > MAX_LENGTH,
  );
}

/** The names of CHECK constraints, where they stand in SHOW CREATE TABLE. */
export function namedChecks(tokens: readonly Token[]): Token[] {
  return tokens.filter(
    (token, i) =>
      token.kind === 'quoted' && isWord(tokens[i - 1], 'CONSTRAINT') && isWord(tokens[i + 1], 'CHECK'),
  );
}

function freeName(base: string, used: ReadonlySet<string>): string {
  for (let number = 0; ; number++) {
    const suffix = ['', '_lhmn'][number] ?? `_lhmn${number}`;
    const name =
      characters(base)
        .slice(0, MAX_LENGTH - suffix.length)
        .join('') + suffix;
    if (!used.has(name.toLowerCase())) return name;
  }
}
