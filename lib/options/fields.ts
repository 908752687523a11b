import { isKnex, isTransaction } from '../database/knex-connection';
import type { Problem } from '../errors';
import type { ThrottleSource } from '../throttle/throttle-source';
import type { Loads } from './throttle-options';

/** One option: what it may be. */
export type Field =
  | {
      readonly kind: 'number';
      readonly min: number;
      readonly max: number;
      readonly orFalse?: boolean;
      readonly orAuto?: boolean;
      readonly fractions?: boolean;
    }
  | { readonly kind: 'boolean' }
  | {
      readonly kind: 'string';
      readonly orNull?: boolean;
      readonly orFunction?: boolean;
      readonly orFalse?: boolean;
      readonly orBoolean?: boolean;
    }
  | { readonly kind: 'loads'; readonly orAuto?: boolean }
  | { readonly kind: 'http' }
  | { readonly kind: 'address' }
  | { readonly kind: 'events' }
  | { readonly kind: 'sources' }
  | {
      readonly kind: 'one-of';
      readonly values: readonly string[];
      readonly orFunction?: boolean;
      readonly orBoolean?: boolean;
    }
  | { readonly kind: 'function' }
  | { readonly kind: 'names' }
  | { readonly kind: 'signal' }
  | { readonly kind: 'replicas' }
  | { readonly kind: 'connection' }
  | { readonly kind: 'any' }
  | { readonly kind: 'group'; readonly fields: Fields; readonly orBoolean?: boolean };

export type Fields = Readonly<Record<string, Field>>;

/** A field by the whole name of its option, as `chunk.targetMs`. */
export interface NamedField {
  readonly path: string;
  readonly field: Field;
}

/** All of them in their order; a group itself only where it takes true or false, and before its fields. */
export function allFields(fields: Fields, prefix = ''): readonly NamedField[] {
  return Object.entries(fields).flatMap(([name, field]): readonly NamedField[] => {
    const path = prefix + name;
    if (field.kind !== 'group') return [{ path, field }];
    const itself = field.orBoolean === true ? [{ path, field }] : [];
    return [...itself, ...allFields(field.fields, `${path}.`)];
  });
}

/** Checks a value against the fields it may have, and reports every problem found. */
export function checkFields(
  value: Readonly<Record<string, unknown>>,
  fields: Fields,
  path: string,
): Problem[] {
  const problems: Problem[] = [];
  for (const [name, given] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const full = path + name;
    if (field === undefined) {
      problems.push(unknownOption(full, name, Object.keys(fields)));
    } else if (given !== undefined) {
      problems.push(...checkField(given, field, full));
    }
  }
  return problems;
}

/** Checks one value, whose option is called `path`. */
export function checkField(given: unknown, field: Field, path: string): Problem[] {
  if (field.kind === 'group') {
    if (field.orBoolean === true && typeof given === 'boolean') return [];
    if (typeof given !== 'object' || given === null || Array.isArray(given))
      return [wrongType(path, given, field)];
    return checkFields(given as Record<string, unknown>, field.fields, `${path}.`);
  }
  return fits(given, field) ? [] : [wrongType(path, given, field)];
}

function fits(given: unknown, field: Exclude<Field, { kind: 'group' }>): boolean {
  switch (field.kind) {
    case 'number':
      if (given === false) return field.orFalse === true;
      if (given === 'auto') return field.orAuto === true;
      if (typeof given !== 'number' || !(given >= field.min && given <= field.max)) return false;
      return field.fractions === true || Number.isInteger(given);
    case 'boolean':
      return typeof given === 'boolean';
    case 'string':
      if (typeof given === 'function') return field.orFunction === true;
      if (given === false) return field.orFalse === true || field.orBoolean === true;
      if (given === true) return field.orBoolean === true;
      return (typeof given === 'string' && given !== '') || (given === null && field.orNull === true);
    case 'one-of':
      if (typeof given === 'function') return field.orFunction === true;
      if (typeof given === 'boolean') return field.orBoolean === true;
      return typeof given === 'string' && field.values.includes(given);
    case 'function':
      return typeof given === 'function';
    case 'names':
      return (
        typeof given === 'object' &&
        given !== null &&
        !Array.isArray(given) &&
        Object.values(given).every((value) => typeof value === 'string' && value !== '')
      );
    case 'signal':
      return given instanceof AbortSignal;
    case 'loads':
      return given === false || (given === 'auto' && field.orAuto === true) || areLoads(given);
    case 'http':
      return given === false || (typeof given === 'string' && /^https?:$/.test(protocolOf(given)));
    case 'events':
      return typeof (given as { rawListeners?: unknown } | null)?.rawListeners === 'function';
    case 'address':
      return given === false || (typeof given === 'string' && isAddress(given));
    case 'replicas':
      return given === false || (Array.isArray(given) && given.every(isReplica));
    case 'connection':
      return given === false || isReplica(given) || isSettings(given);
    case 'sources':
      return given === false || (Array.isArray(given) && given.every(isSource));
    case 'any':
      return true;
  }
}

/** What the option takes, in words. */
export function describeField(field: Field): string {
  switch (field.kind) {
    case 'number':
      return `a ${field.fractions ? '' : 'whole '}number from ${field.min} to ${field.max}${field.orAuto ? ", 'auto'" : ''}${field.orFalse ? ', or false' : ''}`;
    case 'boolean':
      return 'true or false';
    case 'string':
      return `a string${field.orFunction ? ', a function' : ''}${field.orNull ? ' or null' : ''}${field.orFalse ? ' or false' : ''}${field.orBoolean ? ', true or false' : ''}`;
    case 'one-of':
      return `${field.orBoolean ? 'true, false or ' : ''}one of ${field.values.map((value) => `'${value}'`).join(', ')}${field.orFunction ? ', or a function' : ''}`;
    case 'function':
      return 'a function';
    case 'names':
      return 'an object of strings';
    case 'signal':
      return 'an AbortSignal';
    case 'loads':
      return `an object of status variables and the most each may be, as { Threads_running: 50 } (in a shell or a command: Threads_running=50)${field.orAuto ? ", 'auto'" : ''}, or false`;
    case 'http':
      return 'a URL (http: or https:), or false';
    case 'events':
      return 'a LargeHadronEvents, or an EventEmitter of Node’s';
    case 'address':
      return "an address, as '127.0.0.1:7000', or false";
    case 'replicas':
      return 'an array of Knex instances (no transactions) and URLs (mysql://user:password@host:port), or false';
    case 'connection':
      return 'a Knex instance (no transaction), a URL (mysql://user:password@host:port) or an object of connection settings, or false';
    case 'sources':
      return 'an array of functions and objects with a name and a function check, or false';
    case 'any':
      return 'anything';
    case 'group':
      return `${field.orBoolean ? 'true, false or ' : ''}an object with ${Object.keys(field.fields).join(', ')}`;
  }
}

function areLoads(given: unknown): given is Loads {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false;
  const loads = Object.entries(given);
  return loads.length > 0 && loads.every(([name, most]) => /^\w+$/.test(name) && isAmount(most));
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** A host and a port, 0 for any that is free. */
function isAddress(given: string): boolean {
  const [, port] = /^.+:(\d{1,5})$/.exec(given) ?? [];
  return port !== undefined && Number(port) <= 65_535;
}

function isReplica(given: unknown): boolean {
  if (typeof given !== 'string') return isKnex(given) && !isTransaction(given);
  return /^(?:mysql2?|mariadb):$/.test(protocolOf(given)) && new URL(given).hostname !== '';
}

/** As Knex takes them as `connection`. */
function isSettings(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false;
  const { host, socketPath } = given as { host?: unknown; socketPath?: unknown };
  return [host, socketPath].some((where) => typeof where === 'string' && where !== '');
}

function isSource(given: unknown): boolean {
  if (typeof given === 'function') return true;
  const source = (given ?? {}) as Partial<ThrottleSource>;
  return typeof source.check === 'function' && typeof source.name === 'string';
}

/** With its colon; empty where it is no URL. */
function protocolOf(url: string): string {
  try {
    return new URL(url).protocol;
  } catch {
    return '';
  }
}

function wrongType(path: string, given: unknown, field: Field): Problem {
  return {
    code: 'LHM_BAD_OPTION',
    message: `Option '${path}' is ${Array.isArray(given) ? showArray(given, field) : show(given)}.`,
    hint: `It takes ${describeField(field)}.`,
  };
}

/** With the nearest of the names there are. */
export function unknownOption(path: string, name: string, known: readonly string[]): Problem {
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const guess = near !== undefined && near.distance <= Math.max(2, name.length / 3) ? near.candidate : null;
  return {
    code: 'LHM_UNKNOWN_OPTION',
    message: `There is no option '${path}'.`,
    hint: guess === null ? `There are ${known.join(', ')}.` : `Did you mean '${guess}'?`,
  };
}

/** Not what a string says: it may have been meant as a URL, with a password. */
function showArray(given: readonly unknown[], { kind }: Field): string {
  if (kind !== 'replicas' && kind !== 'sources') return show(given);
  const at = given.findIndex((one) => !(kind === 'replicas' ? isReplica(one) : isSource(one)));
  const text = kind === 'replicas' ? 'a string that is no such URL' : 'a string';
  return `an array whose entry ${at + 1} is ${typeof given[at] === 'string' ? text : show(given[at])}`;
}

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/** Levenshtein's distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
