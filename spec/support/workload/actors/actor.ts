import { Client } from '../client';
import { Mismatch } from '../errors';
import type { Isolation } from '../options';
import type { Run } from './run';

export interface ActorSettings {
  readonly name: string;
  readonly isolation: Isolation;
  readonly prepared?: boolean;
}

/**
 * One client of the application: a connection of its own and a loop over `turn`, until it is told to stop.
 *
 * An error ends the turn, never the client: it is counted, the transaction is rolled back, and the next turn begins,
 * on a new connection where the old one is gone.
 */
export class Actor {
  readonly name: string;
  readonly done: Promise<void>;
  #client: Client | null = null;
  /** Set when nobody waits for it any more. */
  #abandoned = false;

  constructor(
    readonly run: Run,
    readonly settings: ActorSettings,
    readonly turn: (client: Client) => Promise<void>,
  ) {
    this.name = settings.name;
    this.done = this.#loop();
  }

  /** What it is busy with. */
  get running(): string {
    return this.#client?.running ?? 'nothing on the server';
  }

  abandon(): void {
    this.#abandoned = true;
    this.#client?.destroy();
  }

  async #loop(): Promise<void> {
    while (!this.run.stopper.stopped && !this.#abandoned) {
      try {
        this.#client ??= await this.#open();
        await this.turn(this.#client);
      } catch (error) {
        await this.#recover(error);
      }
    }
    await this.#client?.end();
  }

  async #open(): Promise<Client> {
    const { options, tally } = this.run;
    return Client.open({
      connection: options.connection,
      isolation: this.settings.isolation,
      prepared: this.settings.prepared ?? false,
      onStatement: (sql, ms) => {
        tally.statement(sql, ms);
      },
    });
  }

  async #recover(error: unknown): Promise<void> {
    const { ledger, tally, stopper } = this.run;
    // A mismatch was already noted as a finding.
    let kind = error instanceof Mismatch ? 'unexpected' : tally.error(error, this.name);
    if (kind !== 'lost' && this.#client !== null) {
      try {
        await this.#client.run('ROLLBACK');
      } catch (second) {
        kind = tally.error(second, this.name);
      }
    }
    if (kind === 'lost') {
      ledger.forgetGivenIds();
      this.#client?.destroy();
      this.#client = null;
    }
    // An error that comes back at once must not keep a whole processor busy.
    if (kind === 'lost' || kind === 'unexpected') await stopper.sleep(20);
  }
}
