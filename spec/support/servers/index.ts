/**
 * Private, throw-away database servers for the specs, the demo and the benchmarks.
 *
 * `startServer('mysql')` takes the first of these that exists:
 *
 * 1. a server that is already running, named by `LHM_MYSQL_URL` / `LHM_MARIADB_URL` (`mysql://user:password@host:port`);
 * 2. `mysqld` / `mariadbd` on the PATH or in the usual system folders, started on a temporary datadir;
 * 3. on Debian: the distribution's packages, unpacked into `~/.cache/large-hadron-migrate` without root;
 * 4. Docker, or the npm package `mysql-memory-server` where it is installed;
 *
 * and otherwise fails with a line to type. `LHM_SERVERS=mysql` (or `mariadb`) restricts what is tested.
 *
 * A server that we started never outlives the process that asked for it, however that process ends.
 */
export { availableFlavors } from './available-flavors';
export { follow, startPrimaryWithReplica } from './replication/pair';
export { startServer } from './start-server';
export type {
  Connection,
  Flavor,
  Mode,
  PairOptions,
  ReplicatedPair,
  RunningServer,
  ServerOptions,
} from './types';
