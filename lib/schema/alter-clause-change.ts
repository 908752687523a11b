import type { AlterAction } from './alter-clause';
import { withSpan } from './alter-clause-drop';
import type { TokenCursor } from './token-cursor';

const OTHER: AlterAction = { kind: 'other' };

/** What stands behind RENAME. Without COLUMN, INDEX or KEY it is the table that gets a new name. */
export function renameAction(cursor: TokenCursor): AlterAction {
  if (cursor.accept('COLUMN')) {
    const renamed = fromTo(cursor);
    return renamed === null ? OTHER : { kind: 'rename-column', ...renamed };
  }
  if (cursor.acceptOne(['INDEX', 'KEY']) !== null) {
    const renamed = fromTo(cursor);
    return renamed === null ? OTHER : { kind: 'rename-index', from: renamed.from, to: renamed.to };
  }
  cursor.acceptOne(['TO', 'AS', '=']);
  return { kind: 'rename-table', to: cursor.name()?.name ?? null };
}

/** What stands behind CHANGE. */
export function changeAction(cursor: TokenCursor): AlterAction {
  cursor.accept('COLUMN');
  const ifExists = cursor.accept('IF', 'EXISTS');
  const from = cursor.name();
  const to = cursor.name();
  return from && to ? { kind: 'change-column', from: from.name, to: to.name, ifExists } : OTHER;
}

/** What stands behind MODIFY. */
export function modifyAction(cursor: TokenCursor): AlterAction {
  cursor.accept('COLUMN');
  const ifExists = cursor.accept('IF', 'EXISTS');
  const column = cursor.name();
  return column ? { kind: 'modify-column', name: column.name, ifExists } : OTHER;
}

/** What stands behind ALTER. */
export function alterAction(cursor: TokenCursor): AlterAction {
  if (cursor.acceptOne(['INDEX', 'KEY']) !== null) return OTHER;
  if (cursor.acceptOne(['CHECK', 'CONSTRAINT']) !== null) {
    const check = cursor.name();
    return check ? { kind: 'alter-check', ...withSpan(check) } : OTHER;
  }
  cursor.accept('COLUMN');
  const ifExists = cursor.accept('IF', 'EXISTS');
  const column = cursor.name();
  return column ? { kind: 'alter-column', name: column.name, ifExists } : OTHER;
}

function fromTo(cursor: TokenCursor): { from: string; to: string; ifExists: boolean } | null {
  const ifExists = cursor.accept('IF', 'EXISTS');
  const from = cursor.name();
  if (from === null || !cursor.accept('TO')) return null;
  const to = cursor.name();
  return to === null ? null : { from: from.name, to: to.name, ifExists };
}
