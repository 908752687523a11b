import type { Failure } from './migrator';
import type { FaultKind } from './plan';

/** What a failure may be called after each fault. A migration that nothing was done to has no reason to fail. */
const REASONS: Readonly<Record<FaultKind, readonly string[]>> = {
  'kill connection': ['LHM_CONNECTION_LOST', 'LHM_OWNERSHIP_LOST'],
  'kill query': ['LHM_FAILED', 'LHM_ALTER_FAILED'],
  'kill process': [],
  abort: ['LHM_INTERRUPTED'],
  'restart server': ['LHM_CONNECTION_LOST', 'LHM_OWNERSHIP_LOST', 'LHM_CANNOT_CONNECT'],
  'kill server': ['LHM_CONNECTION_LOST', 'LHM_OWNERSHIP_LOST', 'LHM_CANNOT_CONNECT'],
  'open transaction': [],
  'lock tables': [],
  'take over': ['LHM_CONNECTION_LOST', 'LHM_OWNERSHIP_LOST'],
};

/** Whether one of the faults may end a run so. */
export function isReason(code: string, struck: readonly FaultKind[]): boolean {
  return struck.some((kind) => REASONS[kind].includes(code));
}

/** How the table stands after a failed run. */
export interface Standing {
  /** Whether it has its new definition. */
  readonly changed: boolean;
  /** Tables and triggers of the library that are there. */
  readonly helpers: readonly string[];
}

/** There is none once the tables are swapped. */
function isGhost(name: string): boolean {
  return name.endsWith('_lhmn');
}

/** What a failed run said that is not so. */
export function untruths(failure: Failure, struck: readonly FaultKind[], standing: Standing): string[] {
  const { code, outcome, phase, message, leftovers } = failure;
  const words = `${code} in ${phase}, ${outcome}: ${message}`;
  const problems: string[] = [];
  if (!isReason(code, struck)) problems.push(`failed after ${struck.join(', ') || 'nothing'}: ${words}`);
  // Nobody can know while the server is away; and what another run has done since is not this one's to tell.
  if (outcome === 'unknown' || struck.includes('take over')) return problems;
  if ((outcome === 'swapped') !== standing.changed)
    problems.push(`the table ${standing.changed ? 'was' : 'was not'} changed, but: ${words}`);
  const named = leftovers.map(({ name }) => name.slice(name.lastIndexOf('.') + 1)).sort();
  const there = [...standing.helpers].sort();
  // What is there could not be asked: then all that may be is named.
  const possibly = leftovers.length > 0 && leftovers.every(({ sql }) => sql.includes(' IF EXISTS '));
  const told = possibly
    ? there.every((name) => named.includes(name)) && !(outcome === 'swapped' && named.some(isGhost))
    : JSON.stringify(named) === JSON.stringify(there);
  if (!told)
    problems.push(
      `left are ${there.join(', ') || 'nothing'}, named were ${named.join(', ') || 'nothing'}: ${words}`,
    );
  return problems;
}
