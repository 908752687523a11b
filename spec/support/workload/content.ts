import type { Random } from './random';
import type { Row } from './row';

/** The columns that say nothing by themselves. */
export type Content = Pick<Row, 'name' | 'amount' | 'happened_at' | 'doc' | 'note'>;

export function contentOf({
  version,
  name,
  amount,
  happened_at,
  doc,
  note,
}: Row): Content & Pick<Row, 'version'> {
  return { version, name, amount, happened_at, doc, note };
}

/** Text that a careless round trip damages. */
const AWKWARD = [
  '',
  " it's",
  ' "q"',
  ' back\\slash',
  ' 100% _x',
  ' 🐎🦄',
  ' žluťoučký',
  ' line\nbreak',
  ' -- ;',
  ' ß/SS',
];

/** New values for them. They come back from the server exactly as given. */
export function newContent(random: Random, label: string): Content {
  const twoDigits = (n: number): string => String(random.int(n)).padStart(2, '0');
  const micros = String(1 + random.int(999_999)).padStart(6, '0');
  return {
    name: label + random.pick(AWKWARD),
    amount: `${random.int(2_000_000) - 1_000_000}.${String(random.int(9000) + 1000)}`,
    happened_at: `2021-06-${String(1 + random.int(30)).padStart(2, '0')} ${twoDigits(24)}:${twoDigits(60)}:${twoDigits(60)}.${micros}`,
    // In the form MySQL itself prints JSON; MariaDB keeps the text as it is.
    doc: `{"n": ${random.int(1000)}, "by": "${label}"}`,
    note: random.chance(0.3) ? null : `${label} `.repeat(1 + random.int(8)),
  };
}

/** Some of it: with minimal row images the binlog then carries only these columns. */
export function partOf(random: Random, content: Content): Partial<Content> {
  const columns = ['name', 'amount', 'happened_at', 'doc', 'note'] as const;
  const first = random.pick(columns);
  const second = random.pick(columns);
  return { [first]: content[first], [second]: content[second] };
}
