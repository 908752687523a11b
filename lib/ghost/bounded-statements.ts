import { withBoundedLock, type BoundedLock } from '../database/metadata-locks';
import type { Session } from '../database/session';

/**
 * The session, asking for locks a second at a time: statements on a table with foreign keys lock the tables that these
 * lead to, which the application uses. One that was not given its locks has changed nothing.
 *
 * @param always false where only statements that add a key can concern another table
 */
export function boundedStatements(session: Session, bound: BoundedLock, always: boolean): Session {
  const raw: Session['raw'] = (sql, values) =>
    always || /\bREFERENCES\b/i.test(sql)
      ? withBoundedLock(session, bound, () => session.raw(sql, values))
      : session.raw(sql, values);
  return new Proxy(session, {
    get: (target, name) => {
      if (name === 'raw') return raw;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
