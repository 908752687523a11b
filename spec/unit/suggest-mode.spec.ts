import { expect } from 'chai';

import type { Problem } from '../../lib/errors';
import { suggestMode } from '../../lib/plan/suggest-mode';

const problem = (code: string): Problem =>
  ({ code, message: `${code} stands in the way.`, hint: '' }) as Problem;

describe('the mode that a plan suggests', () => {
  const off = problem('LHM_BINLOG_OFF');
  const grant = problem('LHM_MISSING_PRIVILEGE');
  const other = problem('LHM_NAME_TAKEN');

  for (const [what, triggers, binlog, writes, mode, why] of [
    ['triggers, where both will do', [], [], 3, 'triggers', /no binary log/],
    [
      'triggers, where nobody knows how often is written',
      [other],
      [other],
      null,
      'triggers',
      /no binary log/,
    ],
    ['triggers, where the log cannot be read', [], [off], 9000, 'triggers', /LHM_BINLOG_OFF/],
    ['triggers, where neither will do', [grant], [off], 9000, 'triggers', /LHM_BINLOG_OFF/],
    ['binlog, where triggers may not be created', [grant, other], [other], 3, 'binlog', /LHM_MISSING/],
    ['binlog, where much is written', [], [], 9000, 'binlog', /9000 writes a second/],
  ] as const)
    it(what, () => {
      const suggested = suggestMode({ triggers, binlog }, writes);
      expect(suggested.mode).to.equal(mode);
      expect(suggested.why).to.match(why);
    });
});
