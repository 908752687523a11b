import { Command } from 'commander';
import { expect } from 'chai';

import { LargeHadronError, type Outcome } from '../../lib';
import { BadInput, describeError, exitCodeOf } from '../../lib/cli/exit-codes';
import { addOptionFlags, optionsFrom } from '../../lib/cli/option-flags';
import { keepSecret, redact } from '../../lib/cli/secrets';
import { whatWentWrong } from '../../lib/control/commands';
import { sparkline } from '../../lib/cli/sparkline';

describe('lhm, the command', () => {
  function options(...args: string[]): unknown {
    const command = addOptionFlags(new Command('migrate'))
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    return optionsFrom(command.parse(args, { from: 'user' }).opts());
  }

  it('ends by a code for each outcome', () => {
    const outcomes: Outcome[] = ['untouched', 'rolled-back', 'resumable', 'swapped', 'unknown'];
    const codes = outcomes.map((outcome) =>
      exitCodeOf(new LargeHadronError({ code: 'LHM_FAILED', message: 'm', hint: 'h', outcome })),
    );
    expect(codes).to.deep.equal([2, 3, 3, 4, 5]);
    expect(exitCodeOf(new BadInput('no'))).to.equal(2);
    expect(exitCodeOf(new Error('a mistake'))).to.equal(1);
  });

  it('says what is left and how it is removed', () => {
    const leftovers = [{ kind: 'table', name: 's.a_lhmn', sql: 'DROP TABLE `a_lhmn`' }] as const;
    const error = new LargeHadronError({
      ...{ code: 'LHM_FAILED', message: 'It failed.', hint: 'Run again.', outcome: 'unknown', leftovers },
    });
    expect(describeError(error)).to.equal(
      'LHM_FAILED: It failed.\nRun again.\nThe table: unknown.\nLeft: DROP TABLE `a_lhmn`;',
    );
  });

  it('says what is wrong with an option once', () => {
    const hint = 'It takes a number.';
    const fields = { code: 'LHM_BAD_OPTION', message: `Option 'a' is 'x'. ${hint}`, hint } as const;
    const said = `LHM_BAD_OPTION: Option 'a' is 'x'. It takes a number.\nThe table: untouched.`;
    expect(describeError(new LargeHadronError({ ...fields, problems: [fields] }))).to.equal(said);
    expect(whatWentWrong(new LargeHadronError(fields))).to.equal(fields.message);
    const others = { code: 'LHM_BAD_OPTION', message: 'Two are wrong.', hint: 'Mend them.' } as const;
    const both = describeError(new LargeHadronError({ ...others, problems: [fields, others] }));
    expect(both).to.contain("Option 'a'").and.contain('  LHM_BAD_OPTION: Two are wrong. Mend them.');
  });

  it('takes the options of the library as flags', () => {
    expect(options()).to.deep.equal({});
    expect(
      options(
        ...['--chunk-target-ms', '200', '--chunk-rows', 'false', '--verify-rows', '5', '--mode', 'binlog'],
        ...['--columns-values', 'a=b = 1', '--columns-values', 'c=2', '--cut-over-kill-blockers', 'true'],
        ...['--throttle-max-load', 'Threads_running=50', '--throttle-flag-file', 'off', '--control', 'false'],
        ...['--throttle-replicas', 'mysql://a@b', '--id-window', '7', '--hooks-directory', '/x'],
      ),
    ).to.deep.equal({
      chunk: { targetMs: 200, rows: false },
      ...{ verify: { rows: 5 }, mode: 'binlog', idWindow: 7, control: false, hooks: { directory: '/x' } },
      columns: { values: { a: 'b = 1', c: '2' } },
      cutOver: { killBlockers: true },
      throttle: { maxLoad: { Threads_running: 50 }, flagFile: false, replicas: ['mysql://a@b'] },
    });
    for (const none of ['--events', '--signal', '--hooks-on-startup'])
      expect(() => options(none, 'x'), none).to.throw(/unknown option/);
    expect(options('--verify', 'false')).to.deep.equal({ verify: false });
    expect(options('--control-socket', 'true')).to.deep.equal({ control: { socket: true } });
  });

  it('leaves passwords out of what it says', () => {
    expect(redact('at mysql://me@host and mysql://me:se/cret@host')).to.equal(
      'at mysql://me@host and mysql://me:***@host',
    );
    expect(redact('x mysql://me:s3cret@host:1/db')).to.equal('x mysql://me:***@host:1/db');
    keepSecret('tell nobody');
    expect(redact('tell nobody, tell%20nobody')).to.equal('***, ***');
  });

  it('draws the last values, the highest as the highest', () => {
    expect(sparkline([9, 0, 50, 100], 3)).to.equal('▁▅█');
    expect(sparkline([0, 0], 3)).to.equal('▁▁');
  });
});
