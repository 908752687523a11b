import { rangeCondition } from '../chunk/key-range';
import { nextRange } from '../chunk/chunker';
import type { ChunkSizer } from '../chunk/chunk-sizer';
import { id } from '../database/sql';
import {
  DUPLICATE_ENTRY,
  errorNumber,
  isInterruption,
  isTooLarge,
  isTransient,
} from '../database/server-error';
import type { Session } from '../database/session';
import { transaction } from '../database/transaction';
import { debugLog } from '../events/debug-log';
import type { ChangeApplier } from '../changes/change-applier';
import type { CopiedTo } from '../changes/change-source';
import type { TablePair } from '../schema/table-pair';
import type { StateTable } from '../state/state-table';
import { clock } from '../util/clock';

const log = debugLog('copy');

/** Tries of one chunk before the error is final. */
const ATTEMPTS = 20;

/** What is written down with every chunk. */
interface Checkpoint {
  readonly position: CopiedTo['position'];
  readonly rows: number;
}

const NOTHING: Checkpoint = { position: 'none', rows: 0 };

/** Copies the origin in ranges of its chunk key, one transaction each, on the session that also applies changes. */
export class RowCopier {
  private position: CopiedTo['position'] = 'none';
  private copied = 0;

  constructor(
    private readonly pair: TablePair,
    private readonly applier: ChangeApplier,
    private readonly state: StateTable,
    private readonly sizer: ChunkSizer,
    /** Told before a chunk is copied again; throws when it must not be. */
    private readonly onRetry: (attempt: number, error: unknown) => Promise<void>,
  ) {}

  get copiedTo(): CopiedTo {
    return { position: this.position };
  }

  /** Rows copied so far. */
  get rows(): number {
    return this.copied;
  }

  get done(): boolean {
    return this.position === 'all';
  }

  /** Goes on where the server says: after a COMMIT that was not answered nothing else tells whether it happened. */
  async resume(session: Session): Promise<void> {
    const written = await this.state.readCopiedTo(session);
    // None: a server that is not made to flush every commit may have lost the first chunks with its last second.
    const { position, rows } = written === null ? NOTHING : (JSON.parse(written) as Checkpoint);
    this.position = position;
    this.copied = rows;
  }

  /** Copies the next chunk. */
  async copyNext(session: Session): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.copyChunk(session);
        return;
      } catch (error) {
        const tooLarge = isTooLarge(error);
        const smaller = tooLarge || errorNumber(error) === DUPLICATE_ENTRY;
        // Whoever kills statements may do so because they take long.
        if (isInterruption(error)) this.sizer.shrink();
        if (session.lost || attempt >= ATTEMPTS || !(isTransient(error) || smaller)) throw error;
        log('chunk failed, attempt %d: %o', attempt, error);
        if (smaller && !this.sizer.shrink(tooLarge) && tooLarge) throw error;
        await this.onRetry(attempt, error);
      }
    }
  }

  private async copyChunk(session: Session): Promise<void> {
    const { pair } = this;
    const { originKeys, ghostKeys, originIndex } = pair.key;
    const started = clock.monotonic();
    const { rows, position } = await transaction(session, async () => {
      await this.state.check(session);
      const range = await nextRange(
        session,
        { schema: pair.schema, table: pair.origin.table, index: originIndex, keys: originKeys },
        typeof this.position === 'string' ? null : this.position,
        this.sizer.size,
      );
      const inserted = await this.applier.copy(session, {
        origin: rangeCondition(originKeys, id(pair.origin.table), range),
        ghost: rangeCondition(ghostKeys, id(pair.names.ghost), range),
      });
      const reached: CopiedTo['position'] = range.upTo ?? 'all';
      const checkpoint: Checkpoint = { position: reached, rows: this.copied + inserted };
      await this.state.copiedTo(session, JSON.stringify(checkpoint));
      return { rows: inserted, position: reached };
    });
    this.position = position;
    this.copied += rows;
    const ms = clock.monotonic() - started;
    this.sizer.took(rows, ms);
    log('copied %d rows in %d ms up to %j', rows, Math.round(ms), position);
  }
}
