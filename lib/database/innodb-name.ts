import type { TableName } from '../schema/identifier';

/**
 * A regular expression for a table as InnoDB files it, `schema/table`, in the syntax that both servers and JavaScript
 * read. ASCII symbols stand as @ and four hexadecimal digits; letters beyond ASCII as @ and two characters or four
 * digits, by a table of the server's own, so that a name like it may match as well.
 */
export function innodbNamePattern({ schema, table }: TableName): string {
  return `${pattern(schema)}/${pattern(table)}`;
}

function pattern(name: string): string {
  return name
    .split('')
    .map((unit) => {
      if (/[A-Za-z0-9_]/.test(unit)) return unit;
      const code = unit.charCodeAt(0);
      return code < 128 ? `@${code.toString(16).padStart(4, '0')}` : '@([0-9A-Za-z]{2}|[0-9a-f]{4})';
    })
    .join('');
}
