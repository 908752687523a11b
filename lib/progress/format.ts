import { clock } from '../util/clock';
import type { ProgressSnapshot } from './progress';

export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

function lasting(since: number): string {
  return formatDuration(Math.max(0, clock.now() - since));
}

/** Why nothing moves: at most three parts. */
export function formatWaiting({ throttled, waitingFor, postponed, hook }: ProgressSnapshot): string[] {
  const parts = throttled === null ? [] : [`throttled: ${throttled}`];
  if (postponed !== null) {
    parts.push(
      `postponed for ${lasting(postponed.since)} (since ${new Date(postponed.since).toISOString()}) by ${postponed.by}`,
    );
  }
  if (hook !== null) parts.push(`waiting for the hook ${hook.name} for ${lasting(hook.since)}`);
  else if (waitingFor !== null && waitingFor !== throttled && waitingFor !== postponed?.by)
    parts.push(`waiting for ${waitingFor}`);
  return parts;
}

/** How much is copied, of what; no part of it where there are more than was estimated. */
export function formatCopied(p: ProgressSnapshot, share = ''): string {
  const copied = formatCount(p.rowsCopied);
  const exceeded = p.etaMs === null && p.rowsPerSecond > 0;
  if (p.phase === 'copy' && exceeded) return `${copied} rows, more than estimated`;
  return `${copied} of ${p.rowsCounted ? '' : 'about '}${formatCount(p.rowsEstimated)} rows${share}`;
}

/** A table's name, or a reason, may hold what moves a terminal. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

/** How it stands, in parts that each stand for themselves. */
export interface Parts {
  /** Which table, and what is done to it. */
  readonly head: string;
  /** What was done and what is left. */
  readonly done: readonly string[];
  /** Why nothing moves. */
  readonly waiting: readonly string[];
}

export function formatParts(p: ProgressSnapshot): Parts {
  const done: string[] = [];
  if (p.phase === 'copy') {
    const share = p.rowsEstimated === 0 ? 100 : Math.floor((p.rowsCopied / p.rowsEstimated) * 100);
    done.push(formatCopied(p, ` (${share} %)`));
    if (p.rowsPerSecond > 0) done.push(`${formatCount(p.rowsPerSecond)} rows/s`);
    if (p.etaMs !== null) done.push(`${formatDuration(p.etaMs)} left`);
  }
  if (p.phase === 'verify') done.push(`${formatCount(p.rowsVerified)} rows compared`);
  if (p.changesApplied > 0) done.push(`${formatCount(p.changesApplied)} changes applied`);
  if (p.backlog > 0) done.push(`${formatCount(p.backlog)} waiting`);
  return { head: `[lhm] ${p.table}: ${p.phase}`, done, waiting: formatWaiting(p) };
}

/** One line for a log. */
export function formatLine(p: ProgressSnapshot): string {
  const { head, done, waiting } = formatParts(p);
  return oneLine([head, ...done, ...waiting].join(', '));
}
