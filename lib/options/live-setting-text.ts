import { withoutPasswords } from '../util/without-passwords';
import type { Field } from './fields';

const OFF = /^(?:off|false|none|)$/i;

/** What a person typed, as a value of the option; what makes no sense is left for the option's own check to refuse. */
export function parseSetting(field: Field, text: string): unknown {
  const trimmed = text.trim();
  if (field.kind === 'replicas') return OFF.test(trimmed) ? [] : trimmed.split(/\s*,\s*/);
  if (field.kind === 'number') return parseNumber(trimmed, field.orFalse === true);
  if (OFF.test(trimmed)) return false;
  if (field.kind === 'loads') return parseLoads(trimmed);
  return trimmed;
}

/** An empty one is none, and switches nothing off: a shell may have left it out. */
function parseNumber(text: string, orFalse: boolean): unknown {
  if (isNumeral(text)) return Number(text);
  return orFalse && text !== '' && OFF.test(text) ? false : text;
}

/** `Threads_running=50,Threads_connected=500` */
function parseLoads(text: string): unknown {
  if (text === 'auto') return text;
  const loads = text.split(',').map((load) => /^\s*(\w+)\s*=\s*([\d.]+)\s*$/.exec(load));
  if (loads.some((load) => load === null)) return text;
  return Object.fromEntries(loads.map((load) => [load?.[1], Number(load?.[2])]));
}

function isNumeral(text: string): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(text);
}

/** As `parseSetting` takes it; passwords are hidden. */
export function formatSetting(value: unknown): string {
  if (value === false) return 'off';
  if (Array.isArray(value)) return value.length === 0 ? 'off' : value.map(formatReplica).join(',');
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, most]) => `${name}=${String(most)}`)
      .join(',');
  return withoutPasswords(String(value));
}

function formatReplica(replica: unknown): string {
  return typeof replica === 'string' ? withoutPasswords(replica) : '(a Knex)';
}
