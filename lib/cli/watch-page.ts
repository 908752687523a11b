import { formatCount, formatParts, oneLine } from '../progress/format';
import type { ProgressSnapshot } from '../progress/progress';
import { redact } from './secrets';
import { sparkline } from './sparkline';

/** Values that are shown side by side. */
export const WIDTH = 60;

/** Before a row of bars, and the blank behind it, in columns. */
const BESIDE_BARS = 10;

const FEWEST_BARS = 4;

interface Size {
  readonly columns?: number;
  readonly rows?: number;
}

interface Series {
  readonly speeds: readonly number[];
  readonly backlogs: readonly number[];
}

/**
 * How a migration stands, for a terminal: first what it is and why it does not move, which are there in the smallest one. What
 * is longer than the terminal would push that out at its top.
 */
export function page(now: ProgressSnapshot, { speeds, backlogs }: Series, size: Size): string {
  // A terminal that does not know its size says 0.
  const columns = size.columns || 80;
  // The cursor needs one.
  const room = Math.max(1, (size.rows || 24) - 1);
  const { head, done, waiting } = formatParts(now);
  const [speed, backlog] = [formatCount(now.rowsPerSecond), formatCount(now.backlog)];
  const left = columns - BESIDE_BARS - Math.max(speed.length, backlog.length);
  const width = Math.max(FEWEST_BARS, Math.min(WIDTH, left));
  const bars = [
    `rows/s   ${sparkline(speeds, width)} ${speed}`,
    `backlog  ${sparkline(backlogs, width)} ${backlog}`,
  ];
  // Before it is wrapped: a secret that is broken in two would not be found.
  const lines = [head, ...waiting, ...done].flatMap((part) => wrap(redact(oneLine(part)), columns));
  const below = [['', ...bars], bars, []].find((some) => lines.length + some.length <= room) ?? [];
  return [...lines, ...below].slice(0, room).join('\n');
}

/** Characters that take two columns: those of East Asia, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const character of text) {
    const takes = WIDE.test(character) ? 2 : 1;
    if (used + takes > columns) {
      lines.push(line);
      line = '';
      used = 0;
    }
    line += character;
    used += takes;
  }
  return [...lines, line];
}
