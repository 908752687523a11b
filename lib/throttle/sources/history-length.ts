import type { Database } from '../../database/database';
import { grantee } from '../../database/grants';
import { errorNumber } from '../../database/server-error';
import { Refusal } from '../../errors';
import type { LiveSettings } from '../../options/live-settings';
import type { PolledSession } from '../polled-session';
import { CLEAR, hold, type ThrottleSource, type Verdict } from '../throttle-source';
import { UsualLevel } from '../usual-level';

const MANY = 1_000_000;

const ACCESS_DENIED = 1227;

/** What purge has still to remove: where it does not keep up, every read gets slower, and the undo logs grow. */
export class HistoryLength implements ThrottleSource {
  readonly name = "the length of InnoDB's history list";
  private readonly usual = new UsualLevel(MANY);

  constructor(
    private readonly session: PolledSession,
    private readonly database: Database,
    private readonly settings: LiveSettings,
  ) {}

  async check(signal: AbortSignal): Promise<Verdict> {
    const { maxHistoryLength: wanted } = this.settings.throttle;
    if (wanted === false) return CLEAR;
    const length = await this.read(signal, wanted === 'auto');
    if (length === null)
      return wanted === 'auto' ? CLEAR : hold(`${this.name}, which the server does not tell`);
    const most = wanted === 'auto' ? this.usual.limitFor(length) : wanted;
    if (length <= most) return CLEAR;
    return hold(`${this.name} is ${length}, above ${Math.round(most)} (throttle.maxHistoryLength)`);
  }

  /** @throws Refusal LHM_MISSING_PRIVILEGE where it was asked for */
  async refuseUnseen(): Promise<void> {
    const { maxHistoryLength } = this.settings.throttle;
    if (maxHistoryLength === false || maxHistoryLength === 'auto') return;
    try {
      await this.read(new AbortController().signal, false);
    } catch (cause) {
      if (errorNumber(cause) !== ACCESS_DENIED) throw cause;
      throw new Refusal(
        'LHM_MISSING_PRIVILEGE',
        "The account may not see the length of InnoDB's history list (throttle.maxHistoryLength).",
        `GRANT PROCESS ON *.* TO ${await grantee(await this.session.open())};`,
        { cause },
      );
    }
  }

  /** Null where it is not counted, or, if that may be, the account may not see it. */
  private async read(signal: AbortSignal, mayBeHidden: boolean): Promise<number | null> {
    const { flavor } = this.database.server;
    try {
      const [row] = await this.session.query<{ Value: string }>(
        flavor === 'mariadb'
          ? "SHOW GLOBAL STATUS LIKE 'Innodb_history_list_length'"
          : 'SELECT `COUNT` AS Value FROM information_schema.INNODB_METRICS' +
              " WHERE NAME = 'trx_rseg_history_len' AND STATUS = 'enabled'",
        signal,
      );
      return row === undefined ? null : Number(row.Value);
    } catch (error) {
      if (mayBeHidden && errorNumber(error) === ACCESS_DENIED) return null;
      throw error;
    }
  }
}
