import { Refusal } from '../errors';
import { refuseBadOptions } from './bad-options';
import { allFields, checkField, unknownOption, type Field } from './fields';
import { formatSetting, parseSetting } from './live-setting-text';
import { FIELDS } from './option-fields';
import type { BinlogOptions, ChunkOptions, ResolvedOptions, ResolvedThrottle } from './options';

/** One setting, for people. */
export interface LiveSetting {
  /** What the option is called, as `throttle.maxLagMs`. */
  readonly name: string;
  /** As `set` takes it; passwords are hidden. */
  readonly value: string;
  readonly unit: string;
}

/** What may change while a migration runs, and the unit of each. */
const UNITS = {
  'chunk.rows': 'rows',
  'chunk.targetMs': 'ms',
  'chunk.pauseMs': 'ms',
  'binlog.batchRows': 'rows',
  'throttle.maxLoad': 'status variables',
  'throttle.criticalLoad': 'status variables',
  'throttle.criticalLoadIntervalMs': 'ms',
  'throttle.criticalLoadHibernateMs': 'ms',
  'throttle.maxHistoryLength': 'undo log records',
  'throttle.maxChunkMs': 'ms',
  'throttle.replicas': 'URLs',
  'throttle.maxLagMs': 'ms',
  'throttle.niceRatio': 'times',
  'throttle.query': 'SQL',
  'throttle.http': 'URL',
} as const;

export type LiveSettingName = keyof typeof UNITS;

/** What only the server knows of a value. @throws Refusal LHM_BAD_OPTION */
type Check = (name: LiveSettingName, value: unknown) => Promise<void>;

const NAMES = Object.keys(UNITS) as LiveSettingName[];

/**
 * The one place of everything that may be changed while a migration runs. It begins as the options say; whoever obeys a
 * setting reads it here each time.
 */
export class LiveSettings {
  private readonly groups: {
    chunk: Required<ChunkOptions>;
    binlog: Required<BinlogOptions>;
    throttle: ResolvedThrottle;
  };
  private readonly listeners = new Set<() => void>();
  private readonly checks: Check[] = [];

  constructor(options: Pick<ResolvedOptions, 'chunk' | 'binlog' | 'throttle'>) {
    this.groups = {
      chunk: { ...options.chunk },
      binlog: { ...options.binlog },
      throttle: { ...options.throttle },
    };
  }

  get chunk(): Readonly<Required<ChunkOptions>> {
    return this.groups.chunk;
  }

  get binlog(): Readonly<Required<BinlogOptions>> {
    return this.groups.binlog;
  }

  get throttle(): Readonly<ResolvedThrottle> {
    return this.groups.throttle;
  }

  /**
   * Changes one setting, by the rules of the option of that name. `off` and `false` switch it off where it can be. URLs of
   * replicas replace those given as URLs before; replicas given as a Knex stay.
   *
   * @throws Refusal LHM_UNKNOWN_OPTION, LHM_BAD_OPTION; nothing is changed then
   */
  set(name: string, text: string): void {
    this.change(parse(name, text));
  }

  /**
   * As `set`, but not what the server does not know. The value counts where the server cannot be asked: it may be what makes
   * the migration gentler.
   *
   * @throws Refusal LHM_UNKNOWN_OPTION, LHM_BAD_OPTION; nothing is changed then
   */
  async setIfKnown(name: string, text: string): Promise<void> {
    const parsed = parse(name, text);
    for (const check of this.checks) await check(parsed.name, parsed.value);
    this.change(parsed);
  }

  /** Lets a function refuse what is set by `setIfKnown`. */
  check(check: Check): void {
    this.checks.push(check);
  }

  /** All of them, in a fixed order. */
  describe(): readonly LiveSetting[] {
    return NAMES.map((name) => ({ name, value: formatSetting(this.get(name)), unit: UNITS[name] }));
  }

  /** Calls the function after each change. */
  listen(listener: () => void): void {
    this.listeners.add(listener);
  }

  private change({ name, value }: Parsed): void {
    this.put(name, value);
    for (const listener of this.listeners) listener();
  }

  private get(name: LiveSettingName): unknown {
    const [group, key] = name.split('.') as ['chunk' | 'binlog' | 'throttle', string];
    return (this.groups[group] as unknown as Record<string, unknown>)[key];
  }

  private put(name: LiveSettingName, value: unknown): void {
    const [group, key] = name.split('.') as ['chunk' | 'binlog' | 'throttle', string];
    const put = name === 'throttle.replicas' ? [...this.knexes(), ...((value || []) as string[])] : value;
    Object.assign(this.groups[group], { [key]: put });
  }

  private knexes(): readonly unknown[] {
    return this.throttle.replicas.filter((replica) => typeof replica !== 'string');
  }
}

interface Parsed {
  readonly name: LiveSettingName;
  readonly value: unknown;
}

/** @throws Refusal LHM_UNKNOWN_OPTION, LHM_BAD_OPTION */
function parse(name: string, text: string): Parsed {
  if (!isSetting(name)) {
    const { code, hint } = unknownOption(name, name, NAMES);
    throw new Refusal(code, `There is no setting '${name}'.`, hint);
  }
  const field = fieldOf(name);
  const value = parseSetting(field, text);
  refuseBadOptions(checkField(value, field, name));
  return { name, value };
}

function isSetting(name: string): name is LiveSettingName {
  return Object.hasOwn(UNITS, name);
}

function fieldOf(name: LiveSettingName): Field {
  const found = allFields(FIELDS).find(({ path }) => path === name);
  if (found === undefined) throw new Error(`no option '${name}'`);
  return found.field;
}
