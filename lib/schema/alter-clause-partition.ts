import type { AlterAction } from './alter-clause';
import type { TokenCursor } from './token-cursor';

const ACTIONS = [
  'ADD',
  'DROP',
  'TRUNCATE',
  'COALESCE',
  'REORGANIZE',
  'REBUILD',
  'OPTIMIZE',
  'ANALYZE',
  'CHECK',
  'REPAIR',
];

/** Recognises the clauses that are about partitions or tablespaces; null if it is none. Passes nothing. */
export function partitionAction(cursor: TokenCursor): AlterAction | null {
  if (cursor.comes('EXCHANGE', 'PARTITION')) return { kind: 'partition-exchange' };
  // MariaDB: a partition becomes a table, or a table a partition.
  if (cursor.comes('CONVERT', 'PARTITION') || cursor.comes('CONVERT', 'TABLE'))
    return { kind: 'partition-exchange' };
  for (const word of ['DISCARD', 'IMPORT']) {
    if (cursor.comes(word, 'TABLESPACE') || cursor.comes(word, 'PARTITION')) return { kind: 'tablespace' };
  }
  if (cursor.comes('PARTITION', 'BY')) return { kind: 'partition', action: 'PARTITION' };
  if (cursor.comes('REMOVE', 'PARTITIONING')) return { kind: 'partition', action: 'REMOVE' };
  const action = ACTIONS.find((word) => cursor.comes(word, 'PARTITION'));
  return action === undefined ? null : { kind: 'partition', action };
}
