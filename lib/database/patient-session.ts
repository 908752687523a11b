import type { BoundedLock } from './metadata-locks';
import { clock } from '../util/clock';
import { isTransient } from './server-error';
import type { Session } from './session';

/** DDL waits its turn by `withBoundedLock`, with pauses in which the application runs on. */
const DDL = /^\s*(?:ALTER|CREATE|DROP|LOCK|RENAME|TRUNCATE)\b/i;

const patience = new WeakMap<Session, BoundedLock>();

/** How long a session that `patientSession` made waits for others; undefined for any other. */
export function patienceOf(session: Session): BoundedLock | undefined {
  return patience.get(session);
}

/** Does it again for as long as others are given priority over it, and the bound allows. */
export async function patiently<T>(bound: BoundedLock, take: () => Promise<T>): Promise<T> {
  const started = clock.monotonic();
  for (let attempt = 1; ; attempt++) {
    try {
      return await take();
    } catch (error) {
      if (!isTransient(error) || attempt >= bound.attempts) throw error;
      if (clock.monotonic() - started >= bound.giveUpAfterMs) throw error;
      await bound.pause(attempt);
    }
  }
}

/**
 * The session, saying a statement again that somebody else's DDL was given priority over: where tables are related by
 * foreign keys, DDL on one locks the others, and of two that wait for each other the server refuses the one that only
 * reads. For times at which no transaction of ours is more than one statement.
 */
export function patientSession(session: Session, bound: BoundedLock): Session {
  const raw: Session['raw'] = (sql, values) =>
    DDL.test(sql) ? session.raw(sql, values) : patiently(bound, () => session.raw(sql, values));
  const own: Partial<Session> = {
    raw,
    query: async <R>(sql: string, values?: readonly unknown[]) => (await raw(sql, values))[0] as R[],
    execute: async (sql, values) => (await raw(sql, values))[0] as Awaited<ReturnType<Session['execute']>>,
  };
  const patient = new Proxy(session, {
    get: (target, name) => {
      if (name in own) return own[name as keyof Session];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  patience.set(patient, bound);
  return patient;
}
