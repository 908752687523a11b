import type { Session } from '../../database/session';
import { crashed } from './binlog-refusals';

/** Whether a server writes its log through with every commit (`sync_binlog`), so that a crash takes nothing of it. */
export class WrittenThrough {
  private every = 1;

  /** On the server whose log is read, before that is begun. */
  async remember(session: Session): Promise<void> {
    const [row] = await session.query<{ every: number | string }>('SELECT @@GLOBAL.sync_binlog AS every');
    this.every = Number(row?.every);
  }

  /** @throws Refusal LHM_CONNECTION_LOST after a crash that the log may not have come through whole */
  refuseCrash(): void {
    if (this.every !== 1) throw crashed(this.every);
  }
}
