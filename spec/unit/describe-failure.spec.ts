import { expect } from 'chai';

import { LargeHadronError, Refusal, type ErrorCode, type Leftover, type Outcome } from '../../lib/errors';
import { describeFailure, tellingMost, type FailureFacts } from '../../lib/migration/describe-failure';

const FACTS: FailureFacts = { phase: 'copy', table: 'app.emails', outcome: 'rolled-back', leftovers: [] };

const LEFT: Leftover = {
  ...{ kind: 'table', name: 'app.emails_lhmn', sql: 'DROP TABLE `app`.`emails_lhmn`' },
};

function answered(errno: number): Error {
  return Object.assign(new Error(`error ${errno}`), { errno });
}

function broken(code: string): Error {
  return Object.assign(new Error(code), { fatal: true, code, errno: -111 });
}

const ERRORS: readonly (readonly [error: unknown, code: ErrorCode, hints: RegExp])[] = [
  [answered(1045), 'LHM_CANNOT_CONNECT', /user and the password/],
  [answered(1698), 'LHM_CANNOT_CONNECT', /user in the Knex connection/],
  [answered(1049), 'LHM_CANNOT_CONNECT', /database in the Knex connection/],
  [answered(1040), 'LHM_CANNOT_CONNECT', /max_connections/],
  [answered(1203), 'LHM_CANNOT_CONNECT', /limit of the account/],
  [answered(1226), 'LHM_CANNOT_CONNECT', /limit of the account/],
  [broken('ECONNREFUSED'), 'LHM_CANNOT_CONNECT', /host and port/],
  [broken('ENOTFOUND'), 'LHM_CANNOT_CONNECT', /host and port/],
  [answered(1419), 'LHM_MISSING_PRIVILEGE', /log_bin_trust_function_creators = 1/],
  [answered(1142), 'LHM_MISSING_PRIVILEGE', /Grant the privilege/],
  [answered(1044), 'LHM_MISSING_PRIVILEGE', /privileges on the database/],
  [answered(1227), 'LHM_MISSING_PRIVILEGE', /Grant the privilege/],
  [answered(1290), 'LHM_READ_ONLY', /the application writes to/],
  [answered(1836), 'LHM_READ_ONLY', /the application writes to/],
  [answered(1205), 'LHM_LOCK_TIMEOUT', /when it is gone/],
  [answered(1213), 'LHM_LOCK_TIMEOUT', /quieter time/],
  [answered(1343), 'LHM_TRIGGERS_UNREADABLE', /\.TRG/],
  [answered(1114), 'LHM_DISK_FULL', /Make room/],
  [answered(1021), 'LHM_DISK_FULL', /Make room/],
  [answered(1927), 'LHM_CONNECTION_LOST', /once the server answers/],
  [answered(4031), 'LHM_CONNECTION_LOST', /once the server answers/],
  [broken('PROTOCOL_CONNECTION_LOST'), 'LHM_CONNECTION_LOST', /once the server answers/],
  [broken('ECONNRESET'), 'LHM_CONNECTION_LOST', /once the server answers/],
  [answered(1105), 'LHM_FAILED', /The message says why/],
  ['text that was thrown', 'LHM_FAILED', /The message says why/],
  [undefined, 'LHM_FAILED', /The message says why/],
  [null, 'LHM_FAILED', /The message says why/],
];

describe('what callers are told', () => {
  it('of a statement that was interrupted by a server which is gone then', () => {
    const told = describeFailure(tellingMost(answered(1317), broken('ECONNREFUSED')), FACTS);
    expect(told.code).to.equal('LHM_CONNECTION_LOST');
    expect(told.message).to.include('error 1317').and.include('ECONNREFUSED');
  });

  it('of a statement that was interrupted by somebody, or of another error', () => {
    expect(describeFailure(tellingMost(answered(1317), answered(1317)), FACTS).code).to.equal('LHM_FAILED');
    expect(describeFailure(tellingMost(answered(1114), broken('ECONNREFUSED')), FACTS).code).to.equal(
      'LHM_DISK_FULL',
    );
  });

  it('of triggers that can no longer be read, whatever else failed', () => {
    const told = describeFailure(tellingMost(broken('ECONNRESET'), answered(1343)), FACTS);
    expect(told.code).to.equal('LHM_TRIGGERS_UNREADABLE');
  });

  for (const [error, code, hints] of ERRORS) {
    it(`of ${String(error)}: ${code}`, () => {
      const told = describeFailure(error, FACTS);
      expect(told).to.include({ code, phase: 'copy', table: 'app.emails', outcome: 'rolled-back' });
      expect(told.hint).to.match(hints);
      expect(told.message).to.contain("'app.emails' failed in phase copy");
      expect(told.cause).to.equal(error);
    });
  }

  it('of a refusal: its own code, message and way out', () => {
    const refusal = new Refusal('LHM_HOOK_FAILED', 'The hook threw.', 'Mend it.', { cause: 7 });
    const told = describeFailure(refusal, FACTS);
    expect(told).to.include({
      code: 'LHM_HOOK_FAILED',
      message: 'The hook threw.',
      hint: 'Mend it.',
      cause: 7,
    });
  });

  it("of another migration's error: that it is the cause, for it says nothing of this table", () => {
    const inner = new LargeHadronError({ code: 'LHM_NO_SUCH_TABLE', message: 'none', hint: 'look' });
    const told = describeFailure(inner, { ...FACTS, leftovers: [LEFT] });
    expect(told).to.include({ code: 'LHM_FAILED', cause: inner });
    expect(told.leftovers).to.deep.equal([LEFT]);
  });

  const outcomes: readonly (readonly [Outcome, says: RegExp, not: RegExp])[] = [
    ['untouched', /Run again/, /treat|Look first/],
    ['rolled-back', /Run again.*Left on the server: app\.emails_lhmn \(DROP TABLE/, /treat|Look first/],
    ['swapped', /^The table has its new definition: treat the change as done.*Left on/, /Run again/],
    ['unknown', /^Look first.*May be left on the server: app\.emails_lhmn/, /treat/],
  ];
  for (const [outcome, says, not] of outcomes) {
    it(`with outcome ${outcome}: how the table stands and what is left`, () => {
      const leftovers = outcome === 'untouched' ? [] : [LEFT];
      const { hint } = describeFailure(broken('ECONNRESET'), { ...FACTS, outcome, leftovers });
      expect(hint).to.match(says).and.not.match(not);
    });
  }
});
