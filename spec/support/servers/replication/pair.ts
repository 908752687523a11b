import { withClient } from '../client';
import { OWN_SOURCES, startFrom } from '../start-server';
import type { Flavor, PairOptions, ReplicatedPair, RunningServer } from '../types';
import { caughtUp } from './caught-up';
import { dialectOf } from './dialect';
import { binlogEnd } from './status';

const REPLICA_SETTINGS = {
  mysql: [
    '--loose-log-replica-updates',
    // By default the position that can be waited for lags behind by up to 300 ms.
    '--loose-replica-checkpoint-period=20',
  ],
  mariadb: ['--log-slave-updates'],
} as const;

/** Names without the host's name in them, and a replica that may be killed. */
const RELAY_SETTINGS = ['--relay-log=relay', '--relay-log-recovery=ON'];

/**
 * A primary and a replica that follows its binlog by file and position. Both are our own servers: one that is given
 * by URL cannot be made a primary, and containers cannot reach each other's ports.
 */
export async function startPrimaryWithReplica(
  flavor: Flavor,
  { args = [], replicaArgs = [], mode = 'triggers', log = () => undefined }: PairOptions = {},
): Promise<ReplicatedPair> {
  const replicaSettings = [...RELAY_SETTINGS, ...REPLICA_SETTINGS[flavor], ...args, ...replicaArgs];
  const started = await Promise.allSettled([
    startFrom(OWN_SOURCES, flavor, { args, log }),
    startFrom(OWN_SOURCES, flavor, { args: replicaSettings, log }),
  ]);
  const [primary, replica] = started.map((one) => (one.status === 'fulfilled' ? one.value : undefined));
  const stop = async (): Promise<void> => {
    await replica?.stop();
    await primary?.stop();
  };
  try {
    if (primary === undefined || replica === undefined) {
      throw started.find((one) => one.status === 'rejected')?.reason;
    }
    for (const server of [primary, replica]) Object.assign(server, { mode });
    await follow(primary, replica);
    return { primary, replica, stop, caughtUp: (ms = 30_000) => caughtUp(primary, replica, ms) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Lets one follow the other from now on: both begin as copies of the same datadir. */
export async function follow(primary: RunningServer, replica: RunningServer): Promise<void> {
  const end = await withClient(primary.connection, (client) => binlogEnd(client, dialectOf(primary)));
  const dialect = dialectOf(replica);
  await withClient(replica.connection, async (client) => {
    await client.query(dialect.changeSource(primary.connection, end.file, end.position));
    await client.query(dialect.start);
  });
  await caughtUp(primary, replica, 30_000);
}
