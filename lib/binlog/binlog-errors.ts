import { Refusal } from '../errors';
import { errorNumber, messageOf } from '../database/server-error';

/**
 * The connection that reads the log is gone, or was refused for a moment. What was not given yet is still in the log:
 * start again from the last position.
 */
export class BinlogConnectionLost extends Error {
  override readonly name = 'BinlogConnectionLost';
}

export function connectionLost(cause: unknown): BinlogConnectionLost {
  return new BinlogConnectionLost(`The connection that reads the binary log was lost: ${messageOf(cause)}`, {
    cause,
  });
}

export function binlogOff(cause?: unknown): Refusal {
  return new Refusal(
    'LHM_BINLOG_OFF',
    'The server writes no binary log.',
    "Start it with log_bin, or use mode: 'triggers'.",
    { cause },
  );
}

export function missingPrivilege(cause: unknown, privilege: string): Refusal {
  return new Refusal(
    'LHM_MISSING_PRIVILEGE',
    `The account may not read the binary log: ${messageOf(cause)}`,
    `GRANT ${privilege} ON *.* TO the account that migrates, or use mode: 'triggers'.`,
    { cause },
  );
}

/** By what a log is begun anew, on either server. */
const RESETS = 'RESET BINARY LOGS AND GTIDS, RESET MASTER';

function purged(cause: unknown): Refusal {
  return new Refusal(
    'LHM_BINLOG_PURGED',
    `The server no longer has the part of the binary log that comes next: ${messageOf(cause)}`,
    `Keep the log for longer than a migration takes (binlog_expire_logs_seconds, expire_logs_days), and others from resetting it (${RESETS}); run again.`,
    { cause },
  );
}

export function begunAnew(file: string): Refusal {
  return new Refusal(
    'LHM_BINLOG_PURGED',
    `The server has begun its binary log anew: '${file}' is another file than the one that was read.`,
    `Keep others from resetting the log (${RESETS}) while a migration runs, and run again.`,
  );
}

/** It would hold writes of the application, too. */
export function missingMark(): Refusal {
  return new Refusal(
    'LHM_BINLOG_PURGED',
    'A part of the binary log was not read: what the migration itself had committed to it meanwhile did not come.',
    `Keep others from resetting the log (${RESETS}) while a migration runs, and run again.`,
  );
}

function cutShort(cause: unknown): Refusal {
  return new Refusal(
    'LHM_BINLOG_PURGED',
    `The binary log is shorter than it was: ${messageOf(cause)}`,
    'The server lost the end of it in a crash, or began it anew. SET GLOBAL sync_binlog = 1 keeps it whole; run again.',
    { cause },
  );
}

/** Something that cannot be read, and might be a change of the table. */
export function unreadable(what: string, cause?: unknown): Refusal {
  return new Refusal(
    'LHM_BINLOG_UNREADABLE',
    `The binary log cannot be read: ${what}`,
    "Use mode: 'triggers', which does not need the log.",
    { cause },
  );
}

/** The server itself failed to read its log, as it also does where that is begun anew just then. */
function unreadableByServer(cause: unknown): Refusal {
  return new Refusal(
    'LHM_BINLOG_UNREADABLE',
    `The server cannot read its binary log: ${messageOf(cause)}`,
    `Where it was begun anew meanwhile (${RESETS}), keep others from that and run again. Otherwise use mode: 'triggers', which does not need the log.`,
    { cause },
  );
}

/** Error 1236 stands for everything that keeps a server from sending its log; the text tells what it is. */
const FATAL_READING = 1236;
const OTHER_READER = /same server[_ ](?:uu)?id/i;
const GONE = /could not find|purged|not found|missing .*gtid/i;
const SHORTER = /position > file size|impossible position/i;

const NOT_ALLOWED = new Set([1044, 1045, 1142, 1227, 1698]);
const NO_LOG = 1381;

/** What an error of the server's means to who reads its log. */
export function readingError(error: unknown): Error {
  if (error instanceof Refusal || error instanceof BinlogConnectionLost) return error;
  const number = errorNumber(error);
  const message = messageOf(error);
  if (number === FATAL_READING && !OTHER_READER.test(message)) {
    if (/not enabled|not open/i.test(message)) return binlogOff(error);
    if (SHORTER.test(message)) return cutShort(error);
    return GONE.test(message) ? purged(error) : unreadableByServer(error);
  }
  if (number === NO_LOG) return binlogOff(error);
  if (NOT_ALLOWED.has(number)) return missingPrivilege(error, 'REPLICATION SLAVE');
  return connectionLost(error);
}
