import type { LiveSettings } from '../options/live-settings';
import type { ThrottleSource } from './throttle-source';

/** Everything that is asked but the replicas. */
export function ownSources({ throttle }: LiveSettings): readonly ThrottleSource[] {
  return throttle.sources.filter((source) => typeof source !== 'function');
}
