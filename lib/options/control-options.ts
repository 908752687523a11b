/** How a person or a program can speak to the migration while it runs: docs/operating.md. */
export interface ControlOptions {
  /**
   * The path of a unix socket that only this account may use; true for one in a directory of the account's, where the
   * command `lhm` finds it. Default true.
   */
  readonly socket?: string | boolean;
  /** `host:port` to listen on as well; `token` is needed then. Default false. */
  readonly tcp?: string | false;
  /** What a client must say first over TCP: at least 16 characters. Default false. */
  readonly token?: string | false;
  /**
   * Whether `throttle`, `no-throttle`, `postpone`, `cut-over` and `panic` must name the table, as `panic=shop.emails`.
   * Default false.
   */
  readonly forceNamed?: boolean;
}

export interface ResolvedControl {
  readonly socket: string | boolean;
  readonly tcp: string | false;
  readonly token: string;
  readonly forceNamed: boolean;
}

const OFF: ResolvedControl = { socket: false, tcp: false, token: '', forceNamed: false };

/** @param on whether there is a socket where nothing is said of one */
export function resolveControl(given: ControlOptions | boolean | undefined, on: boolean): ResolvedControl {
  if (given === false || (given === undefined && !on)) return OFF;
  const said = given === true || given === undefined ? {} : given;
  return {
    // Windows has no unix sockets that belong to somebody.
    socket: said.socket ?? process.platform !== 'win32',
    tcp: said.tcp ?? false,
    token: said.token || '',
    forceNamed: said.forceNamed ?? false,
  };
}
