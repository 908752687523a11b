/**
 * Settings that the library's own connections need and the caller's may lack: mysql2's defaults round integers
 * beyond 2^53 and turn dates into Date objects, both of which corrupt keys. `timezone` stays the caller's: it only tells
 * how a Date that the alter function gives is written.
 */
const EXACT = {
  supportBigNumbers: true,
  bigNumberStrings: true,
  dateStrings: true,
  jsonStrings: true,
  rowsAsArray: false,
  namedPlaceholders: false,
  multipleStatements: false,
  nestTables: false,
  typeCast: true,
  decimalNumbers: false,
  stringifyObjects: false,
  queryFormat: undefined,
  charset: 'utf8mb4',
} as const;

/**
 * A connection that has had nothing to say for this long, in ms, is asked whether it is still there: a firewall between forgets
 * one that is silent for some minutes, and nobody is told until the system gives up, which takes it a quarter of an hour. Without
 * it Node leaves the first question to the system, which asks after two hours. Not sooner, since one that is asked is given up
 * after 10 s without an answer, and one that is not asked outlives that.
 */
const KEEP_ALIVE = { keepAliveInitialDelay: 120_000 };

/** What is Knex's own, or what a pool makes of its settings, and mysql2 would complain about. */
const NOT_SETTINGS = ['expirationChecker', 'pool', 'clientFlags', 'maxPacketSize'];

/** Flags that change what the server answers. */
const CHANGING = /^[-+]?(?:FOUND_ROWS|MULTI_STATEMENTS)$/i;

/**
 * The caller's settings, with everything exact that decides what comes back.
 *
 * @param compressed false to leave out compression, whatever the caller has
 */
export function exactSettings(
  given: Readonly<Record<string, unknown>>,
  compressed = true,
): Record<string, unknown> {
  const { uri, flags, ...rest } = given;
  const fromUri = typeof uri === 'string' ? exactUri(uri) : {};
  const settings: Record<string, unknown> = { ...rest, ...('uri' in fromUri ? { uri: fromUri.uri } : {}) };
  if (settings['keepAliveInitialDelay'] === undefined && fromUri.asksAlive !== true)
    Object.assign(settings, KEEP_ALIVE);
  for (const name of NOT_SETTINGS) Reflect.deleteProperty(settings, name);
  if (!compressed) Object.assign(settings, uncompressed(settings['uri']));
  return { ...settings, ...EXACT, flags: exactFlags(flags ?? fromUri.flags) };
}

function uncompressed(uri: unknown): Record<string, unknown> {
  if (typeof uri !== 'string') return { compress: false };
  const url = new URL(uri);
  url.searchParams.delete('compress');
  return { uri: url.href, compress: false };
}

/** mysql2 lets what a URL says win over a setting that is `false`, so these must not be in it. */
function exactUri(uri: string): { uri?: string; flags?: string | null; asksAlive?: boolean } {
  const url = new URL(uri);
  const flags = url.searchParams.get('flags');
  for (const name of [...Object.keys(EXACT), 'flags']) url.searchParams.delete(name);
  return { uri: url.href, flags, asksAlive: url.searchParams.has('keepAliveInitialDelay') };
}

function exactFlags(given: unknown): string[] {
  const flags: unknown[] = Array.isArray(given)
    ? given
    : typeof given === 'string'
      ? given.split(/\s*,+\s*/)
      : [];
  const kept = flags.map(String).filter((flag) => flag !== '' && !CHANGING.test(flag));
  return [...kept.map((flag) => flag.toUpperCase()), '-FOUND_ROWS'];
}
