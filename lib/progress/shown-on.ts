import type { Writable } from 'node:stream';
import { clock } from '../util/clock';

/** Whether what was written there can be drawn over. */
export function canDraw(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['TERM'] !== 'dumb';
}

const uses = new WeakMap<Writable, number>();

const ignore = (): void => undefined;

/**
 * Whoever reads what is shown may go away (`| head`, a log's pipe, a terminal), and without a listener the error would end the
 * process, with a migration half done.
 *
 * @returns ends it
 */
export function outliveReader(stream: Writable): () => void {
  const before = uses.get(stream) ?? 0;
  uses.set(stream, before + 1);
  if (before === 0) stream.on('error', ignore);
  return () => {
    const left = (uses.get(stream) ?? 1) - 1;
    uses.set(stream, left);
    // What was written last may fail a moment later.
    void clock.setImmediate().then(() => {
      if (uses.get(stream) === 0) stream.removeListener('error', ignore);
    });
  };
}
