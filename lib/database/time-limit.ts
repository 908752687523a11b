import type { ServerCapabilities } from './server-capabilities';
import { errorNumber } from './server-error';
import type { Session } from './session';

/**
 * Runs SELECTs that the server gives up after so many ms each: where others wait for them, they must not take longer.
 *
 * @throws what `isOverTime` knows
 */
export async function withTimeLimit<T>(
  session: Session,
  { flavor, statementTimeoutVariable }: ServerCapabilities,
  ms: number,
  work: () => Promise<T>,
): Promise<T> {
  const most = Math.max(1, Math.ceil(ms));
  const value = flavor === 'mariadb' ? most / 1000 : most;
  await session.execute(`SET SESSION ${statementTimeoutVariable} = ${value}`);
  try {
    return await work();
  } finally {
    if (!session.lost) await session.execute(`SET SESSION ${statementTimeoutVariable} = 0`);
  }
}

/** Whether a statement was given up because it took too long. */
export function isOverTime(error: unknown): boolean {
  return [3024, 1969].includes(errorNumber(error));
}
