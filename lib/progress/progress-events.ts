import type { EventSink } from '../events/emitter';
import type { ProgressSnapshot } from './progress';
import type { ProgressTracker } from './progress-tracker';

/** Tells whatever can be seen in the progress. */
export function tellProgress(tracker: ProgressTracker, events: EventSink): void {
  let before = tracker.snapshot();
  tracker.listen((now) => {
    const then = before;
    before = now;
    tell(events, then, now);
  });
}

function tell(events: EventSink, before: ProgressSnapshot, now: ProgressSnapshot): void {
  const { table, rowsCopied, changesApplied, rowsVerified } = now;
  if (now.phase !== before.phase) events.emit('phase', { table, phase: now.phase });
  const counted = now.rowsCounted;
  if (counted !== before.rowsCounted || (before.rowsEstimated === 0 && now.rowsEstimated > 0))
    events.emit('rowCount', { table, rows: now.rowsEstimated, counted });
  if (rowsCopied > before.rowsCopied)
    events.emit('chunk', { table, rows: rowsCopied - before.rowsCopied, rowsCopied });
  if (changesApplied > before.changesApplied)
    events.emit('applied', { table, changes: changesApplied - before.changesApplied, changesApplied });
  if (rowsVerified > before.rowsVerified)
    events.emit('compared', { table, rows: rowsVerified - before.rowsVerified, rowsVerified });
  if (now.throttled !== before.throttled) events.emit('throttled', { table, reason: now.throttled });
  if (now.waitingFor !== before.waitingFor) events.emit('waiting', { table, reason: now.waitingFor });
  if (now.postponed !== null && before.postponed === null)
    events.emit('postponed', { table, by: now.postponed.by });
  if (now.postponed === null && before.postponed !== null) events.emit('released', { table });
  events.emit('progress', now);
}
