import type { EventMap, EventName } from './event-map';
import type { EventSink } from './emitter';

/** Tells an event of one table. */
export type Tell = <N extends EventName>(name: N, facts: Omit<EventMap[N], 'table'>) => void;

/** @param table `schema.table` */
export function tellerOf(events: EventSink, table: string): Tell {
  return (name, facts) => events.emit(name, { table, ...facts } as unknown as EventMap[typeof name]);
}
