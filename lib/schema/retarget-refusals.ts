import { Refusal } from '../errors';
import type { AlterClause } from './alter-clause';
import { renamesTable, unsupported, type StatementReading } from './statement-reading';

/**
 * Refuses clauses that cannot be made on a clone, or would not mean there what they mean on the table.
 *
 * @throws Refusal
 */
export function refuseClauses({ kind, clauses }: StatementReading): void {
  for (const clause of clauses) refuseClause(clause);
  if (kind === 'alter' && clauses.every((clause) => clause.kind === 'algorithm-or-lock')) {
    throw new Refusal(
      'LHM_ALTER_CHANGES_NOTHING',
      'The statement changes nothing: it has no clause but ALGORITHM or LOCK.',
      'Add the change. To have the table rebuilt as it is, use FORCE.',
    );
  }
}

function refuseClause(clause: AlterClause): void {
  switch (clause.kind) {
    case 'rename-table':
      throw renamesTable();
    case 'add-system-versioning':
      throw new Refusal(
        'LHM_ALTER_UNSUPPORTED',
        'The alter function adds system versioning: every change that is applied meanwhile would become history.',
        'Use a native ALTER TABLE … ADD SYSTEM VERSIONING.',
      );
    case 'partition-exchange':
      throw unsupported('a statement that moves rows between a partition and another table');
    case 'tablespace':
      throw unsupported('DISCARD or IMPORT TABLESPACE');
    case 'partition':
      // The ghost is still empty: the rows would be copied into another partition instead of being deleted.
      if (clause.action === 'DROP' || clause.action === 'TRUNCATE') {
        throw unsupported(`${clause.action} PARTITION, which deletes rows`);
      }
      return;
    default:
      return;
  }
}
