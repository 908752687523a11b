import type { RunningServer } from '../support/servers';
import {
  createWorkload,
  describeReport,
  isExact,
  prepareLedgerTable,
  type Workload,
  type WorkloadOptions,
} from '../support/workload';
import type { Application, Verdict } from './application';
import { shutdowns, type CyclePlan } from './plan';

/** A table by itself, with a ledger of what was acknowledged. */
export class LedgerApplication implements Application {
  private readonly options: WorkloadOptions;
  private readonly workload: Workload;

  constructor({ connection, flavor }: RunningServer, database: string, table: string, plan: CyclePlan) {
    this.options = {
      ...{ connection, database, table, seed: plan.seed, ...plan.workload },
      ...{ lostConnections: 'expected', holdMs: 1000, dumpClients: 1, dumpMs: 500 },
      shutdowns: shutdowns(plan),
      // Where older views have to be waited for, ever-overlapping ones would put the swap off for ever.
      ...(flavor === 'mariadb' ? { holdMs: 250, dumpMs: 300, restMs: 4000 } : {}),
    };
    this.workload = createWorkload(this.options);
  }

  prepare(): Promise<void> {
    return prepareLedgerTable(this.options);
  }

  start(): Promise<void> {
    this.workload.start();
    return Promise.resolve();
  }

  async stop(): Promise<Verdict> {
    const report = await this.workload.stop();
    return {
      transactions: report.transactions,
      rows: report.rows.actual,
      problems: isExact(report) ? [] : [describeReport(report)],
    };
  }
}
