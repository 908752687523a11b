import type { AlterAction } from './alter-clause';
import type { NameAt, TokenCursor } from './token-cursor';

/** What stands behind DROP. */
export function dropAction(cursor: TokenCursor): AlterAction {
  if (cursor.accept('COLUMN')) return dropColumn(cursor);
  if (cursor.accept('PRIMARY', 'KEY')) return { kind: 'drop-primary-key' };
  if (cursor.acceptOne(['INDEX', 'KEY']) !== null) return dropIndex(cursor);
  if (cursor.accept('FOREIGN', 'KEY')) return dropNamed(cursor, 'drop-foreign-key');
  if (cursor.acceptOne(['CHECK', 'CONSTRAINT']) !== null)
    return dropNamed(cursor, 'drop-check-or-constraint');
  // SYSTEM and PERIOD are names of columns, too, unless this follows.
  if (cursor.accept('SYSTEM', 'VERSIONING')) return { kind: 'drop-system-versioning' };
  if (cursor.accept('PERIOD', 'FOR')) return { kind: 'other' };
  return dropColumn(cursor);
}

/** `DROP INDEX name`, from behind the word INDEX. The primary key is an index of that name. */
export function dropIndex(cursor: TokenCursor): AlterAction {
  const ifExists = cursor.accept('IF', 'EXISTS');
  const index = cursor.name();
  if (index === null) return { kind: 'other' };
  if (index.name.toUpperCase() === 'PRIMARY') return { kind: 'drop-primary-key' };
  return { kind: 'drop-index', name: index.name, ifExists };
}

function dropColumn(cursor: TokenCursor): AlterAction {
  const ifExists = cursor.accept('IF', 'EXISTS');
  const column = cursor.name();
  return column === null ? { kind: 'other' } : { kind: 'drop-column', name: column.name, ifExists };
}

function dropNamed(cursor: TokenCursor, kind: 'drop-foreign-key' | 'drop-check-or-constraint'): AlterAction {
  const ifExists = cursor.accept('IF', 'EXISTS');
  const named = cursor.name();
  return named === null ? { kind: 'other' } : { kind, ifExists, ...withSpan(named) };
}

/** A name and where it stands, as the clauses carry it. */
export function withSpan({ name, start, end }: NameAt): {
  name: string;
  nameSpan: { start: number; end: number };
} {
  return { name, nameSpan: { start, end } };
}
