import type { TableName } from '../schema/identifier';

/** A table as InnoDB files it: `schema/table`, everything but ASCII letters, digits and _ as @ and four digits. */
export function innodbName({ schema, table }: TableName): string {
  return `${encode(schema)}/${encode(table)}`;
}

function encode(name: string): string {
  return name.replace(/[^A-Za-z0-9_]/gu, (character) => {
    return [...Array(character.length).keys()]
      .map((i) => '@' + character.charCodeAt(i).toString(16).padStart(4, '0'))
      .join('');
  });
}
