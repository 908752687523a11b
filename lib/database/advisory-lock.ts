import { createHash } from 'node:crypto';
import { Refusal } from '../errors';
import type { Session } from './session';

/** A clean-up holds the lock for a moment, and a server takes one to notice that a connection has ended. In s. */
const A_MOMENT_S = 2;

/**
 * A named lock of the server that says who migrates a table. It goes with the session that holds it, so a process
 * that dies leaves none behind.
 */
export class AdvisoryLock {
  readonly name: string;

  constructor(
    /** Who has it, once it was granted. */
    readonly session: Session,
    schema: string,
    table: string,
  ) {
    // Names are limited to 64 characters, and one lock space serves the whole server.
    this.name = `lhm:${createHash('sha256').update(`${schema}\0${table}`).digest('hex').slice(0, 40)}`;
  }

  /** @throws Refusal LHM_ALREADY_RUNNING when somebody else has it for longer than a moment */
  async acquire(table: string): Promise<void> {
    if (await this.tryAcquire(A_MOMENT_S)) return;
    const holder = await this.holder();
    throw new Refusal(
      'LHM_ALREADY_RUNNING',
      `Another migration of '${table}' is running${holder === null ? '' : ` (connection ${holder})`}.`,
      'Wait until it is done. If its process is gone, the server notices within seconds' +
        (holder === null ? '.' : `, or is told so by KILL ${holder};`),
    );
  }

  /** Whether it was free, or became so within some seconds, and is held now. */
  async tryAcquire(seconds = 0): Promise<boolean> {
    const [row] = await this.session.query<{ granted: number | null }>('SELECT GET_LOCK(?, ?) AS granted', [
      this.name,
      seconds,
    ]);
    return Number(row?.granted) === 1;
  }

  /** For a session that goes on; otherwise it ends with the session. */
  async release(): Promise<void> {
    await this.session.query('SELECT RELEASE_LOCK(?)', [this.name]);
  }

  /** @throws Refusal LHM_OWNERSHIP_LOST when the session no longer holds it */
  async check(): Promise<void> {
    if (!(await this.isHeld())) throw ownershipLost();
  }

  /**
   * Takes the lock again after the session that held it got a new connection.
   *
   * @throws Refusal LHM_OWNERSHIP_LOST when somebody else has it by now, for longer than a moment
   */
  async retake(): Promise<void> {
    if ((await this.isHeld()) || (await this.tryAcquire(A_MOMENT_S))) return;
    throw ownershipLost();
  }

  private async isHeld(): Promise<boolean> {
    const [row] = await this.session.query<{ holder: unknown }>('SELECT IS_USED_LOCK(?) AS holder', [
      this.name,
    ]);
    return Number(row?.holder) === this.session.id;
  }

  private async holder(): Promise<number | null> {
    const [row] = await this.session.query<{ holder: number | null }>('SELECT IS_USED_LOCK(?) AS holder', [
      this.name,
    ]);
    return row?.holder ?? null;
  }
}

function ownershipLost(): Refusal {
  return new Refusal(
    'LHM_OWNERSHIP_LOST',
    'The lock of this migration was lost with its connection, and another run may have begun.',
    'If another run has begun, let it finish before you run again.',
  );
}
