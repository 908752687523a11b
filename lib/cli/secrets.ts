import { withoutPasswords } from '../util/without-passwords';

const secrets = new Set<string>();

/** A shorter one would be found in words that have nothing to do with it. */
const SHORTEST = 4;

/** In the list of processes, the arguments stand for everybody to read; a URL among them may hold a password. */
export function hideArguments(): void {
  process.title = 'lhm';
}

/** From now on, the text is not said. */
export function keepSecret(secret: string): void {
  if (secret.length >= SHORTEST) secrets.add(secret).add(encodeURIComponent(secret));
}

/** The text without passwords: of any URL, and those that are known. */
export function redact(text: string): string {
  let safe = withoutPasswords(text);
  for (const secret of secrets) safe = safe.replaceAll(secret, '***');
  return safe;
}

/** On stdout: what was asked for. */
export function say(text: string): void {
  process.stdout.write(`${redact(text)}\n`);
}

/** On stderr: everything else. */
export function tell(text: string): void {
  process.stderr.write(`${redact(text)}\n`);
}

/** What goes to stderr by other ways, as `DEBUG=lhm:*`. */
export function redactStderr(): void {
  const { stderr } = process;
  const write = stderr.write.bind(stderr) as (...given: unknown[]) => boolean;
  stderr.write = (chunk: unknown, ...rest: unknown[]) =>
    write(typeof chunk === 'string' ? redact(chunk) : chunk, ...rest);
}

let heard = true;

/** Whether what is said to stdout is still read by somebody, as far as it is known. */
export function isHeard(): boolean {
  return heard;
}

/** What was begun is brought to its end also when nobody reads any more what is said of it. */
export function outliveReaders(): void {
  process.stdout.on('error', () => (heard = false));
  process.stderr.on('error', () => undefined);
}
