import { Refusal } from '../../errors';
import { asError } from './binlog-refusals';
import { inTime } from './marks';

/** How long the server of the log may take to tell why something is missing there, in ms. */
const ASKED_MS = 10_000;

/**
 * That a part of the log is missing may be read before anybody has asked its server what has become of it, and that says more:
 * after a crash of a server above it, nobody need look for who has reset the log.
 *
 * @param error what the reading ended with
 * @param check throws a Refusal when the server tells why
 * @returns what to end the migration with
 */
export async function whyEnded(error: unknown, check: () => Promise<void>): Promise<Error> {
  if (!(error instanceof Refusal) || error.code !== 'LHM_BINLOG_PURGED') return asError(error);
  return inTime(check(), ASKED_MS).then(
    () => error,
    (why: unknown) => (why instanceof Refusal ? why : error),
  );
}
