import { expect } from 'chai';
import { randomInt } from 'node:crypto';
import type { LargeHadronOptions, MigrationResult } from '../../lib';
import { createHarasser } from './harasser';
import { ledgerRun } from './ledger-run';
import type { RunningServer } from './servers';
import { describeReport, isExact, keepsEveryWrite } from './workload';

export interface KilledLedgerRun {
  readonly mode: NonNullable<LargeHadronOptions['mode']>;
  readonly strategy: NonNullable<NonNullable<LargeHadronOptions['cutOver']>['strategy']>;
  /** Of so many connections of the library, those opened last, one is killed at a time. */
  readonly among?: number;
}

/** A ledger through a migration whose own connections are killed again and again: nothing is lost, extra or wrong. */
export async function expectLedgerKept(
  server: RunningServer,
  { mode, strategy, among }: KilledLedgerRun,
): Promise<MigrationResult> {
  const harasser = createHarasser(server.connection, 100, Math.random, among);
  const { report, result, leftovers } = await ledgerRun(server, {
    seed: randomInt(1_000_000_000),
    workload: { missingTable: strategy === 'two-step' ? 'expected' : 'unexpected' },
    wrap: (knex) => harasser.watch(knex),
    migration: {
      ...{ mode, cutOver: { strategy } },
      ...{ reconnectMs: 60_000, chunk: { rows: 100 }, verify: { rows: 200 } },
      // Before there is something to carry on with, a loss ends the migration.
      progress: ({ phase }) => {
        if (phase === 'copy') harasser.start();
      },
    },
  });
  const kills = await harasser.stop();
  const text = describeReport(report);
  if (result instanceof Error) throw result;
  expect(kills, text).to.be.above(0);
  // With a swap that breaks off there, the new table can be read for a moment, and not written to.
  const kept = strategy === 'rename-then-replay' ? keepsEveryWrite(report) : isExact(report);
  expect(kept, text).to.equal(true);
  expect(leftovers).to.deep.equal([]);
  return result;
}
