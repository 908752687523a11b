import type { Session } from '../../database/session';
import { debugLog } from '../../events/debug-log';

const log = debugLog('changes');

/** One for the whole server. */
const NAME = 'lhm:triggers';

/** Creating them takes milliseconds; whoever has waited so long goes on without. */
const WAIT_SECONDS = 5;

/**
 * On MariaDB two sessions that create triggers at the same time, on whatever tables, sometimes leave a file
 * `<table>.TRG-` in the database's folder, after which DROP DATABASE fails ("Directory not empty", seen with 10.11). So
 * the library's sessions take turns. Nothing but that file depends on it.
 */
export class TriggerTurn {
  /** The connection that holds it. */
  private holder: number | null = null;

  constructor(
    private readonly session: Session,
    private readonly needed: boolean,
  ) {}

  /** May be repeated. Must not be called with a table locked: the application would wait, too. */
  async take(): Promise<void> {
    if (!this.needed || this.holder === this.session.id) return;
    const [row] = await this.session.query<{ granted: number | null }>('SELECT GET_LOCK(?, ?) AS granted', [
      NAME,
      WAIT_SECONDS,
    ]);
    if (Number(row?.granted) === 1) this.holder = this.session.id;
    else log('creating triggers out of turn');
  }

  /** Does nothing when it is not held. */
  async end(): Promise<void> {
    const held = this.holder === this.session.id && !this.session.lost;
    this.holder = null;
    if (held) await this.session.query('SELECT RELEASE_LOCK(?)', [NAME]);
  }
}
