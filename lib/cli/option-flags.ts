import { Option, type Command } from 'commander';
import { parseSetting } from '../options/live-setting-text';
import { allFields, describeField, type Field, type NamedField } from '../options/fields';
import { FIELDS } from '../options/option-fields';
import { keepSecret } from './secrets';

/** What a shell cannot give, or what the commands have flags of their own for. */
const LEFT_OUT = new Set(['knex', 'dryRun', 'events', 'signal', 'handleSignals', 'throttle.sources']);

type SimpleField = Exclude<Field, { kind: 'group' }>;

function flags(): readonly NamedField[] {
  return allFields(FIELDS).filter(
    ({ path, field }) =>
      field.kind !== 'function' &&
      field.kind !== 'any' &&
      !LEFT_OUT.has(path) &&
      !LEFT_OUT.has(path.split('.')[0] ?? ''),
  );
}

/** `chunk.targetMs` → `--chunk-target-ms` */
export function flagName(path: string): string {
  return `--${path.replaceAll('.', '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Every option of the library that makes sense in a shell, as a flag. */
export function addOptionFlags(command: Command): Command {
  for (const { path, field } of flags()) {
    const names = field.kind === 'names';
    const takes =
      field.kind === 'group' ? 'true or false' : names ? 'name=value, may be repeated' : describeField(field);
    const flag = new Option(`${flagName(path)} <${names ? 'name=value' : 'value'}>`, `${path}: ${takes}`);
    if (names) flag.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text]);
    command.addOption(flag);
  }
  return command;
}

/** The flags given, as options of the library, whose own check says what is wrong with them. */
export function optionsFrom(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  // A group's own flag comes before those of its fields, which stand for more.
  for (const { path, field } of flags()) {
    const text = given[new Option(flagName(path)).attributeName()] as string | string[] | undefined;
    if (text === undefined) continue;
    if (path === 'control.token') keepSecret(String(text));
    put(options, path.split('.'), field.kind === 'group' ? boolean(String(text)) : value(field, text));
  }
  return options;
}

function value(field: SimpleField, text: string | string[]): unknown {
  if (field.kind === 'names') return Object.fromEntries([text].flat().map(pair));
  const words = String(text);
  if (field.kind === 'boolean' || (field.kind === 'string' && field.orBoolean === true))
    return boolean(words);
  if (field.kind === 'string' || field.kind === 'one-of') {
    const off = words === 'off' && !(field.kind === 'one-of' && field.values.includes(words));
    return off && (field.kind === 'one-of' || field.orFalse === true) ? false : words;
  }
  return parseSetting(field, words);
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function boolean(text: string): boolean | string {
  if (/^(?:true|on|yes|1)$/i.test(text)) return true;
  return /^(?:false|off|no|0)$/i.test(text) ? false : text;
}

function put(into: Record<string, unknown>, [name = '', ...rest]: readonly string[], what: unknown): void {
  if (rest.length === 0) {
    into[name] = what;
    return;
  }
  const inner = into[name];
  const group = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
  put((into[name] = group), rest, what);
}
