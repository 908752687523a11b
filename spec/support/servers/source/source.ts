import type { Flavor, RunningServer, ServerOptions } from '../types';

/** Why a source has no server to offer, for the message that lists all of them. */
export class NotAvailable {
  constructor(readonly reason: string) {}
}

/**
 * One place where a server can come from. It answers {@link NotAvailable} if it has none, so that the next one is
 * asked; it throws if it has one that does not start, which must not be hidden by falling back to another.
 */
export type Source = (flavor: Flavor, options: ServerOptions) => Promise<RunningServer | NotAvailable>;
