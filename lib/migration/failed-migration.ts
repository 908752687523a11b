import type { Database } from '../database/database';
import { ConnectionDoesNotEnd } from '../database/ended-connection';
import { liveLock } from '../database/metadata-locks';
import { isReadOnlyServer, readOnlySwitch } from '../database/read-only';
import { areTriggersUnreadable, messageOf } from '../database/server-error';
import { qualified } from '../database/sql';
import type { Session } from '../database/session';
import { NameTaken, Refusal, type LargeHadronError, type Leftover, type Outcome } from '../errors';
import { debugLog } from '../events/debug-log';
import type { ResolvedOptions } from '../options/options';
import type { DerivedNames } from '../schema/derived-names';
import type { TableName } from '../schema/identifier';
import type { TablePair } from '../schema/table-pair';
import type { Owner } from '../state/state-table';
import { Cleaner } from './cleaner';
import { describeFailure, tellingMost, type FailureFacts } from './describe-failure';
import { finalStanding } from './final-standing';
import type { Ownership } from './ownership';
import { possibleLeftovers } from './possible-leftovers';
import { startStatement } from '../replication/stop-start';
import { settleTest } from './replica-test';
import { settleSteps } from './settle-steps';
import { leftAlone, takeBack } from './take-back';

const log = debugLog('migration');

/** How far a migration got: what a failure has to take back, and what it may claim. */
export type Stage = 'nothing' | 'created' | 'capturing' | 'swapped';

/** Sessions on which cleaning up is tried: the first may be cut off like the one before. */
const SETTLE_ATTEMPTS = 2;

/** The state table says what foreign keys and triggers still need. */
const CLEAN_UP =
  ' Better than by hand: largeHadronCleanUp, or the next migration of the table, finishes what was begun and removes the rest.';

/** How a failed migration leaves the server. */
interface Settled {
  readonly outcome: Outcome;
  readonly leftovers: readonly Leftover[];
  /** Whether trying once more may remove the rest. */
  readonly again: boolean;
  /** Whether another session may remove it at any time. */
  readonly unsure?: boolean;
}

/** What a migration had when it broke off. */
export interface Reached {
  stage: Stage;
  pair: TablePair | null;
  work: Session | null;
  observer: Session | null;
}

export interface FailedInput {
  readonly database: Database;
  readonly name: TableName;
  readonly names: DerivedNames;
  readonly options: ResolvedOptions;
  readonly ownership: Ownership;
  /** Before the replication that a test has stopped is started again. */
  readonly onStartReplication: () => Promise<void>;
}

/** A migration that broke off: what is taken back of it, and what can be said of the rest. */
export class FailedMigration {
  /** What a person has to look at. */
  private readonly found: string[] = [];

  constructor(
    private readonly input: FailedInput,
    private readonly reached: Reached,
  ) {}

  /** Takes back what can be taken back, and says how the table stands. Never rejects. */
  async describe(
    error: unknown,
    facts: Pick<FailureFacts, 'phase' | 'table'> & { readonly inTheWay: string },
  ): Promise<LargeHadronError> {
    const { inTheWay } = facts;
    const foreign = error instanceof NameTaken ? error.taken : null;
    if (this.reached.stage === 'nothing' || foreign === this.input.names.state)
      return describeFailure(error, { ...facts, outcome: 'untouched', leftovers: [] });
    // Nothing can be taken back before it can be opened, and how its triggers were made is in the state table.
    if (areTriggersUnreadable(error))
      return describeFailure(error, { ...facts, ...this.unsettled(), advice: '' });
    for (let attempt = 1; ; attempt++) {
      try {
        const { outcome, leftovers, again, unsure = false } = await this.settle(foreign);
        if (again && attempt < SETTLE_ATTEMPTS) continue;
        const advice = unsure ? CLEAN_UP : '';
        const seen =
          this.found.length === 0 ? '' : ` While foreign keys were away, ${this.found.join('; ')}.`;
        return describeFailure(error, {
          ...{ ...facts, inTheWay: inTheWay + seen, outcome, leftovers, unsure, advice },
        });
      } catch (secondError) {
        log('attempt %d to clean up: %s', attempt, messageOf(secondError));
        const refused = secondError instanceof Refusal || secondError instanceof ConnectionDoesNotEnd;
        if (!refused && attempt < SETTLE_ATTEMPTS) continue;
        const notTakenBack = refused ? secondError : undefined;
        return describeFailure(tellingMost(error, secondError), {
          ...{ ...facts, ...this.unsettled(), notTakenBack, advice: this.advice() },
        });
      }
    }
  }

  private advice(): string {
    const { name, names, database, options } = this.input;
    if (options.replica !== 'test') return CLEAN_UP;
    const [table, ghost, old] = [name.table, names.ghost, names.old].map((one) =>
      qualified(name.schema, one),
    );
    return `${CLEAN_UP} By hand, on the replica: if '${names.old}' is there, RENAME TABLE ${table} TO ${ghost}, ${old} TO ${table}; and if the replication stands still, ${startStatement(database.server)};`;
  }

  /** What may be claimed while the server cannot be asked. Before changes are captured the table was only read. */
  private unsettled(): Pick<Settled, 'outcome' | 'leftovers'> & { readonly unsure: true } {
    const { stage } = this.reached;
    const outcome = stage === 'swapped' ? 'swapped' : stage === 'capturing' ? 'unknown' : 'rolled-back';
    return {
      outcome,
      leftovers: possibleLeftovers(this.input.name.schema, this.input.names, outcome),
      unsure: true,
    };
  }

  /** Finds out how the tables stand, on a session of its own, and takes back what was not swapped. */
  private async settle(foreign: string | null): Promise<Settled> {
    const session = await this.openCleaner();
    // A statement that was cut off on our side may still be running on the server's.
    if (this.reached.work !== null && !this.reached.work.lost) await this.reached.work.close();
    const { schema } = this.input.name;
    const bound = liveLock(this.input.options.giveUpAfterMs);
    const standing = await finalStanding({
      ...{ session, database: this.input.database, bound },
      pair: this.reached.stage === 'capturing' ? this.reached.pair : null,
      owner: (on) => this.input.ownership.on(on),
    });
    const { owner } = standing;
    const { database, options, name, names, onStartReplication } = this.input;
    const { server } = database;
    let { swapped } = standing;
    if (options.replica === 'test' && owner === 'ours')
      swapped = await settleTest({ session, server, name, names, swapped, bound, onStartReplication });
    if (swapped) this.reached.stage = 'swapped';
    const cleaner = new Cleaner(schema, this.input.name.table, this.input.names, bound, {
      foreign,
      captures: this.reached.stage !== 'created',
    });
    if (owner === 'ours' && this.reached.pair !== null)
      this.found.push(
        ...(await settleSteps(
          session,
          this.input.name,
          this.input.names,
          this.reached.stage === 'swapped',
          bound,
        )),
      );
    const { isUnbroken: unbroken } = this.input.ownership;
    const byState = (on: Session): Promise<Owner> => this.input.ownership.byState(on);
    const left = { cleaner, session, owner, unbroken, byState };
    if (this.reached.stage === 'swapped') return { outcome: 'swapped', ...(await leftAlone(left)) };
    // Another server may have taken over, and would miss what is dropped here.
    if (await isReadOnlyServer(session, readOnlySwitch(server, options.replica !== null)))
      return { outcome: 'rolled-back', ...(await leftAlone(left)) };
    const taken = await takeBack(left);
    const began = this.reached.stage === 'capturing' || taken.leftovers.length > 0;
    return { outcome: began ? 'rolled-back' : 'untouched', ...taken };
  }

  /**
   * The session that holds our lock, as long as it does: what it still waits for cannot outlive the lock. Otherwise a new
   * one; and where that meets another server, one that is left of the old ones takes back what was begun.
   */
  private async openCleaner(): Promise<Session> {
    const { observer } = this.reached;
    const holder = await this.input.ownership.holder();
    if (holder !== null) return holder;
    try {
      return await this.input.database.open('cleaner');
    } catch (error) {
      if (!(error instanceof Refusal) || observer === null || observer.lost) throw error;
      return observer;
    }
  }
}
