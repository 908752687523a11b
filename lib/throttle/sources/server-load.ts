import type { Database } from '../../database/database';
import { text } from '../../database/sql';
import { Refusal } from '../../errors';
import type { LiveSettings } from '../../options/live-settings';
import type { ResolvedThrottle } from '../../options/options';
import type { Loads } from '../../options/throttle-options';
import { clock } from '../../util/clock';
import { ANSWER_WITHIN_MS } from '../poller';
import type { PolledSession } from '../polled-session';
import { serverCores } from '../server-cores';
import { abort, CLEAR, hold, type ThrottleSource, type Verdict } from '../throttle-source';
import { UsualLevel } from '../usual-level';

const RUNNING = 'Threads_running';

/** Threads that may run at once on any server, without a word of the caller's. */
const RUNNING_AT_LEAST = 50;

const RUNNING_PER_CORE = 4;

type Critical = Pick<ResolvedThrottle, 'criticalLoad' | 'criticalLoadHibernateMs'>;

/** By what it was told to. */
interface Hibernation extends Critical {
  readonly until: number;
  readonly why: string;
}

/** Status variables of the server: `maxLoad` holds, `criticalLoad` stops the migration or lets it hibernate. */
export class ServerLoad implements ThrottleSource {
  readonly name = 'the load of the server';
  private usual: UsualLevel | null = null;
  private hibernation: Hibernation | null = null;
  /** When it was exceeded first, of those that follow each other. */
  private criticalSince: number | null = null;

  constructor(
    private readonly session: PolledSession,
    private readonly database: Database,
    private readonly settings: LiveSettings,
  ) {}

  async check(signal: AbortSignal): Promise<Verdict> {
    const { maxLoad, criticalLoad } = this.settings.throttle;
    if (maxLoad === false && criticalLoad === false) return CLEAR;
    const { hibernation } = this;
    const leftMs = hibernation === null ? 0 : leftOf(hibernation, this.settings.throttle);
    if (leftMs > 0) return hold(`${hibernation?.why}; hibernating for ${Math.ceil(leftMs / 1000)} s more`);
    const seen = await this.read(namesOf(maxLoad, criticalLoad), signal);
    const critical = criticalLoad === false ? null : exceeded(seen, criticalLoad, 'criticalLoad');
    if (critical !== null) return critical.known ? this.exceeded(critical.reason) : hold(critical.reason);
    this.criticalSince = null;
    if (maxLoad === false) return CLEAR;
    const most = maxLoad === 'auto' ? await this.usualLoad(seen, signal) : maxLoad;
    const reason = exceeded(seen, most, 'maxLoad')?.reason;
    return reason === undefined ? CLEAR : hold(reason);
  }

  private exceeded(reason: string): Verdict {
    const { criticalLoad, criticalLoadHibernateMs, criticalLoadIntervalMs } = this.settings.throttle;
    const now = clock.monotonic();
    if (criticalLoadHibernateMs !== false) {
      const until = now + criticalLoadHibernateMs;
      this.hibernation = { criticalLoad, criticalLoadHibernateMs, until, why: reason };
      return hold(`${reason}; hibernating for ${Math.ceil(criticalLoadHibernateMs / 1000)} s`);
    }
    this.criticalSince ??= now;
    const leftMs = this.criticalSince + (criticalLoadIntervalMs || 0) - now;
    return leftMs > 0 ? hold(`${reason}; stopping if it still is in ${Math.ceil(leftMs)} ms`) : abort(reason);
  }

  /** @throws Refusal LHM_BAD_OPTION for a status variable that the server does not have */
  async refuseUnknown(): Promise<void> {
    const { maxLoad, criticalLoad } = this.settings.throttle;
    const names = namesOf(maxLoad, criticalLoad);
    if (names.length > 0) refuseUnknownOf(names, await this.read(names, new AbortController().signal));
  }

  /**
   * Whether a value may be set meanwhile. A server that cannot be asked keeps nobody from it.
   *
   * @throws Refusal LHM_BAD_OPTION for a status variable that the server does not have
   */
  async refuseUnknownIn(name: string, value: unknown): Promise<void> {
    if ((name !== 'throttle.maxLoad' && name !== 'throttle.criticalLoad') || typeof value !== 'object')
      return;
    const names = Object.keys(value ?? {});
    const seen = await this.read(names, AbortSignal.timeout(ANSWER_WITHIN_MS)).catch(() => null);
    if (seen !== null) refuseUnknownOf(names, seen);
  }

  close(): Promise<void> {
    return this.session.close();
  }

  /** By their names in small letters. */
  private async read(names: readonly string[], signal: AbortSignal): Promise<Map<string, number>> {
    const rows = await this.session.query<{ Variable_name: string; Value: string }>(
      `SHOW GLOBAL STATUS WHERE Variable_name IN (${names.map(text).join(', ')})`,
      signal,
    );
    return new Map(rows.map(({ Variable_name: name, Value: value }) => [name.toLowerCase(), Number(value)]));
  }

  private async usualLoad(seen: ReadonlyMap<string, number>, signal: AbortSignal): Promise<Loads> {
    const cores = this.usual === null ? await serverCores(this.session, this.database.server, signal) : 0;
    this.usual ??= new UsualLevel(Math.max(RUNNING_AT_LEAST, RUNNING_PER_CORE * cores));
    return { [RUNNING]: this.usual.limitFor(seen.get(RUNNING.toLowerCase()) ?? NaN) };
  }
}

function refuseUnknownOf(names: readonly string[], seen: ReadonlyMap<string, number>): void {
  const unknown = names.find((name) => Number.isNaN(seen.get(name.toLowerCase()) ?? NaN));
  if (unknown === undefined) return;
  throw new Refusal(
    'LHM_BAD_OPTION',
    `The server has no status variable '${unknown}' with a number in it (throttle.maxLoad, throttle.criticalLoad).`,
    'Name one that SHOW GLOBAL STATUS lists.',
  );
}

/** In ms; none once the operator has changed what it hibernates for: the load is looked at anew. */
function leftOf(hibernation: Hibernation, { criticalLoad, criticalLoadHibernateMs }: Critical): number {
  const meant =
    criticalLoad === hibernation.criticalLoad &&
    criticalLoadHibernateMs === hibernation.criticalLoadHibernateMs;
  return meant ? hibernation.until - clock.monotonic() : 0;
}

function namesOf(...loads: readonly (Loads | 'auto' | false)[]): string[] {
  return [
    ...new Set(
      loads.flatMap((load) => (load === false ? [] : load === 'auto' ? [RUNNING] : Object.keys(load))),
    ),
  ];
}

/** The first that is above its value; one that cannot be seen is not known to be below. */
function exceeded(
  seen: ReadonlyMap<string, number>,
  loads: Loads,
  option: string,
): { readonly reason: string; readonly known: boolean } | null {
  for (const [name, most] of Object.entries(loads)) {
    const value = seen.get(name.toLowerCase()) ?? NaN;
    if (Number.isNaN(value)) return { reason: `${name}, which the server does not tell`, known: false };
    if (value > most)
      return { reason: `${name} is ${value}, above ${Math.round(most)} (throttle.${option})`, known: true };
  }
  return null;
}
