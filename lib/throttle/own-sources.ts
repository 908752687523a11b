import type { Database } from '../database/database';
import type { LiveSettings } from '../options/live-settings';
import { PolledSession } from './polled-session';
import { FlagFile } from './sources/flag-file';
import { HistoryLength } from './sources/history-length';
import { Http } from './sources/http';
import { OwnFunction } from './sources/own-function';
import { Query } from './sources/query';
import { ServerLoad } from './sources/server-load';
import type { ThrottleSource } from './throttle-source';

/**
 * Everything that is asked but the replicas. Those that may be switched on meanwhile are always there, and cost nothing
 * while they are off.
 *
 * @throws Refusal LHM_BAD_OPTION, LHM_MISSING_PRIVILEGE when something that was asked for cannot be seen
 */
export async function ownSources(
  database: Database,
  settings: LiveSettings,
): Promise<readonly ThrottleSource[]> {
  const { flagFile, additionalFlagFile, sources } = settings.throttle;
  // Both ask in no time, so they share a connection; the caller's SQL may take longer.
  const figures = new PolledSession(database, 'throttle');
  const load = new ServerLoad(figures, database, settings);
  const history = new HistoryLength(figures, database, settings);
  await load.refuseUnknown();
  settings.check((name, value) => load.refuseUnknownIn(name, value));
  await history.refuseUnseen();
  return [
    ...(flagFile === false ? [] : [new FlagFile(flagFile, 'flagFile')]),
    ...(additionalFlagFile === false ? [] : [new FlagFile(additionalFlagFile, 'additionalFlagFile')]),
    load,
    history,
    new Query(new PolledSession(database, 'throttle query'), settings),
    new Http(settings),
    ...sources.map((source, i) => (typeof source === 'function' ? new OwnFunction(source, i) : source)),
  ];
}
