import { expect } from 'chai';
import { LargeHadronError } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { ledgerRun, type LedgerRunOptions } from '../support/ledger-run';
import {
  insertIgnore,
  rangeDelete,
  renameBeforeLastDrain,
  sabotage,
  type Rewrite,
} from '../support/saboteur';
import { startServer, type Mode, type RunningServer } from '../support/servers';
import { describeReport, isExact } from '../support/workload';

/** Races: each run has a good chance of losing something, and in this many one does. */
const RUNS = 20;

type Broken = Omit<LedgerRunOptions, 'seed' | 'wrap'> & { readonly rewrite?: Rewrite; readonly mode?: Mode };

/** Without verification, which would notice and repair most of it before the swap. */
const UNVERIFIED = { verify: false } as const;

const RULES: Readonly<Record<string, Broken>> = {
  'the tables are swapped before the last drain': { rewrite: renameBeforeLastDrain, migration: UNVERIFIED },
  // With the binary log the entries are written by one session, so that their numbers become visible in order.
  'the journal is emptied by range': {
    mode: 'triggers',
    rewrite: rangeDelete,
    migration: UNVERIFIED,
    workload: { writers: 12 },
  },
  // Values that merely move between rows survive IGNORE here: the taker's entry is never read before the giver's, so
  // a row passed over is applied again. What IGNORE swallows for good is rows that collide in the origin itself.
  'rows are copied with IGNORE': {
    rewrite: insertIgnore,
    migration: UNVERIFIED,
    alter: (t) => {
      t.unique(['bucket']);
    },
  },
  'old read views get no answer': {
    migration: { cutOver: { oldReadViews: 'ignore' } },
    workload: { pairedReaders: 6, holdMs: 2000, dumpMs: 2000, restMs: 0 },
  },
};

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`the gate on ${on} fails when`, function () {
    this.timeout(600_000);
    const rules = Object.entries(RULES).filter(([, rule]) => (rule.mode ?? mode) === mode);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    for (const [rule, { rewrite, ...options }] of every(2, rules)) {
      it(rule, async () => {
        const seen: string[] = [];
        for (let run = 1; run <= RUNS; run++) {
          const { report, result } = await ledgerRun(server, {
            ...options,
            seed: run,
            wrap: (knex) => {
              if (rewrite !== undefined) sabotage(knex, rewrite);
            },
          });
          // A sabotage that only makes the migration fail would show nothing about the gate.
          if (result instanceof LargeHadronError) throw result;
          if (!isExact(report)) return;
          seen.push(describeReport(report));
        }
        expect.fail(`not noticed in ${RUNS} runs:\n${seen.join('\n')}`);
      });
    }
  });
}
