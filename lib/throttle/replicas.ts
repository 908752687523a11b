import { knex as createKnex, type Knex } from 'knex';
import type { Heartbeat } from '../changes/change-source';
import type { LiveSettings } from '../options/live-settings';
import type { Poller } from './poller';
import { ReplicaSource } from './sources/replica';
import type { ThrottleSource } from './throttle-source';

interface Watched {
  readonly poller: Poller;
  /** Made here, so destroyed here; null for one of the caller's. */
  readonly own: Knex | null;
}

/** The replicas that are watched, one poller each; those given as URLs may come and go. */
export class Replicas {
  heartbeat: Heartbeat | null = null;
  private readonly watched = new Map<Knex | string, Watched>();

  constructor(
    private readonly settings: LiveSettings,
    private readonly poller: (source: ThrottleSource) => Poller,
  ) {}

  get pollers(): readonly Poller[] {
    return [...this.watched.values()].map(({ poller }) => poller);
  }

  /** @throws Refusal LHM_REPLICA_UNFIT, LHM_MISSING_PRIVILEGE */
  async open(): Promise<void> {
    for (const [ordinal, replica] of this.settings.throttle.replicas.entries())
      await this.add(replica, `throttle.replicas[${ordinal}]`).refuseUnfit();
  }

  /** Those that were added hold the migration until they have answered. */
  follow(): void {
    const wanted = this.settings.throttle.replicas;
    for (const [replica, watched] of this.watched) {
      if (wanted.includes(replica)) continue;
      this.watched.delete(replica);
      void end(watched);
    }
    for (const replica of wanted) if (!this.watched.has(replica)) this.add(replica, calledBy(replica));
  }

  /** Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.watched.values()].map(end));
  }

  private add(replica: Knex | string, called: string): ReplicaSource {
    const own = typeof replica === 'string' ? connect(replica) : null;
    const source = new ReplicaSource(own ?? (replica as Knex), called, this.settings, () => this.heartbeat);
    this.watched.set(replica, { poller: this.poller(source), own });
    return source;
  }
}

/** As the URL calls it, until it has told its own name. */
function calledBy(replica: Knex | string): string {
  return typeof replica === 'string' ? new URL(replica).host : 'that was given as a Knex';
}

function connect(url: string): Knex {
  return createKnex({ client: 'mysql2', connection: url.replace(/^\w+:/, 'mysql:') });
}

async function end({ poller, own }: Watched): Promise<void> {
  await poller.stop();
  await own?.destroy().catch(() => undefined);
}
