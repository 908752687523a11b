import type { EventMap, EventName } from './event-map';

type Listener<N extends EventName> = (event: EventMap[N]) => unknown;

/**
 * What happens in a migration, told as it happens: pass one as the option `events`. Listeners are called at once and not
 * waited for; one that throws, or whose promise is rejected, changes nothing. One may serve several migrations, whose events
 * bear their table.
 */
export class LargeHadronEvents {
  private readonly listeners = new Map<EventName, Set<(event: never) => unknown>>();

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
    for (const listener of [...(this.listeners.get(name) ?? [])] as Listener<N>[]) {
      try {
        Promise.resolve(listener(event)).catch(() => undefined);
      } catch {
        // Whoever listens must not be able to stop a migration.
      }
    }
  }
}
