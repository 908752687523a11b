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
  constructor(
    private readonly session: Session,
    private readonly needed: boolean,
  ) {}

  /** Must not be called with a table locked: the application would wait, too. */
  async take(): Promise<void> {
    if (!this.needed) return;
    const [row] = await this.session.query<{ granted: number | null }>('SELECT GET_LOCK(?, ?) AS granted', [
      NAME,
      WAIT_SECONDS,
    ]);
    if (Number(row?.granted) !== 1) log('creating triggers out of turn');
  }

  async end(): Promise<void> {
    if (this.needed && !this.session.lost) await this.session.query('SELECT RELEASE_LOCK(?)', [NAME]);
  }
}
