import type { EventMap, EventName } from './event-map';
import { debugLog } from './debug-log';

const log = debugLog('events');

type Listener<N extends EventName> = (event: EventMap[N]) => unknown;

/** What the option `events` takes: a `LargeHadronEvents`, or an EventEmitter of Node's. */
export interface EventListeners {
  /** Those of an event as they are to be called: one that is called once takes itself off when it is. */
  rawListeners(name: string): readonly unknown[];
}

/** Where events are told. */
export interface EventSink {
  /** Never throws, and waits for nothing. */
  emit<N extends EventName>(name: N, event: EventMap[N]): void;
}

/**
 * What happens in a migration, told as it happens: pass one as the option `events`. Listeners are called at once and not
 * waited for; one that throws, or whose promise is rejected, changes nothing. One may serve several migrations, whose events
 * bear their table.
 */
export class LargeHadronEvents implements EventListeners, EventSink {
  private readonly listeners = new Map<string, Set<unknown>>();

  /** Calls the listener at each such event, until the function that is returned is called. */
  on<N extends EventName>(name: N, listener: Listener<N>): () => void {
    const all = this.listeners.get(name) ?? new Set();
    this.listeners.set(name, all.add(listener));
    return () => void all.delete(listener);
  }

  /** Resolves with the next such event. */
  once<N extends EventName>(name: N): Promise<EventMap[N]> {
    return new Promise((resolve) => {
      const off = this.on(name, (event) => {
        off();
        resolve(event);
      });
    });
  }

  emit<N extends EventName>(name: N, event: EventMap[N]): void {
    deliver(this, name, event);
  }

  rawListeners(name: string): readonly unknown[] {
    return [...(this.listeners.get(name) ?? [])];
  }
}

/** An emitter's own `emit` would let a listener break the run, and a promise that it rejects end the process. */
export function sinkOf(listeners: EventListeners): EventSink {
  return { emit: (name, event) => deliver(listeners, name, event) };
}

function deliver(listeners: EventListeners, name: string, event: unknown): void {
  const failed = (error: unknown): void => log('a listener of %s threw, which is ignored: %o', name, error);
  try {
    for (const listener of [...listeners.rawListeners(name)] as ((event: unknown) => unknown)[]) {
      try {
        Promise.resolve(Reflect.apply(listener, listeners, [event])).catch(failed);
      } catch (error) {
        failed(error);
      }
    }
  } catch (error) {
    failed(error);
  }
}
