import type { ServerCapabilities } from '../database/server-capabilities';
import type { PolledSession } from './polled-session';

/** How many cores the server has, as far as it tells; 0 where it does not. */
export async function serverCores(
  session: PolledSession,
  { flavor }: ServerCapabilities,
  signal: AbortSignal,
): Promise<number> {
  try {
    if (flavor === 'mariadb') {
      // By default as many as there are cores.
      const [row] = await session.query<{ cores: number | string }>(
        'SELECT @@thread_pool_size AS cores',
        signal,
      );
      return Number(row?.cores ?? 0);
    }
    const [row] = await session.query<{ cpus: Buffer | string }>(
      "SELECT VCPU_IDS AS cpus FROM information_schema.RESOURCE_GROUPS WHERE RESOURCE_GROUP_NAME = 'USR_default'",
      signal,
    );
    return countOf(String(row?.cpus ?? ''));
  } catch {
    return 0;
  }
}

/** Of a list as `0-3,8`. */
function countOf(list: string): number {
  return [...list.matchAll(/(\d+)(?:-(\d+))?/g)].reduce(
    (sum, [, from, to]) => sum + Number(to ?? from) - Number(from) + 1,
    0,
  );
}
