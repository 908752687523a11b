import { expect } from 'chai';
import { cp, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { createConnection, type Connection as Client } from 'mysql2/promise';

import { LargeHadronError } from '../../lib';
import { nextMarks } from '../support/binlog/changelog';
import { endOfLog } from '../support/binlog/server-log';
import { expectWritable } from '../support/leak-guard-leftovers';
import {
  availableFlavors,
  startPrimaryWithReplica,
  type ReplicatedPair,
  type RunningServer,
} from '../support/servers';
import { TestTable, without } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';

/** What the primary has lost when it is there again, and what it says of its care (`sync_binlog`). */
interface Loss {
  readonly what: string;
  readonly syncBinlog: 0 | 1;
  /** Whether that is switched off once the migration has begun, until the crash. */
  readonly switchedOff?: boolean;
  /** Whether the replica goes on by transactions' ids, not by a place in a file. */
  readonly byId: boolean;
  /** What comes back from the moment before the last changes; everything else stays as it is. */
  readonly back: 'log' | 'rows' | 'both';
  /** Whether those changes reach the replica. */
  readonly reach: boolean;
  /** Whether a mark of the migration's is among what is lost, and a later one is read before anybody looks at the primary. */
  readonly marks?: boolean;
  /** `honest`: exact, or with an error of the replica's, which may find what is logged anew in its tables. */
  readonly ends: 'refused' | 'honest';
}

const LOSSES: readonly Loss[] = [
  {
    what: 'the end of its log, with changes that no replica has got',
    ...{ syncBinlog: 0, byId: false, back: 'log', reach: false, ends: 'refused' },
  },
  {
    what: 'the end of its log, with marks that the reading waits for',
    ...{ syncBinlog: 0, byId: false, back: 'log', reach: false, marks: true, ends: 'refused' },
  },
  {
    what: 'the end of its log, which was written through when the migration began',
    ...{ syncBinlog: 1, switchedOff: true, byId: false, back: 'log', reach: false, ends: 'refused' },
  },
  {
    what: 'the last changes, whose ids it gives to others',
    ...{ syncBinlog: 0, byId: true, back: 'both', reach: true, ends: 'refused' },
  },
  {
    what: 'rows that its log and the replica have',
    ...{ syncBinlog: 1, byId: false, back: 'rows', reach: true, ends: 'honest' },
  },
];

for (const flavor of availableFlavors()) {
  const WORD = flavor === 'mysql' ? 'REPLICA' : 'SLAVE';

  describe(`a crash of the primary while a replica's log is read, on ${flavor}`, function () {
    this.timeout(180_000);
    let pair: ReplicatedPair;
    let replica: Client;
    let test: TestTable;

    async function begin({ byId, syncBinlog }: Loss): Promise<void> {
      const ids = ['--gtid-mode=ON', '--enforce-gtid-consistency=ON'];
      pair = await startPrimaryWithReplica(flavor, {
        args: [`--sync-binlog=${syncBinlog}`, ...(byId && flavor === 'mysql' ? ids : [])],
      });
      replica = await createConnection({ ...pair.replica.connection, multipleStatements: true });
      if (byId) await replica.query(`STOP ${WORD}; ${BY_ID[flavor]}; START ${WORD}`);
      test = await TestTable.create(pair.primary);
      await pair.caughtUp();
    }

    afterEach(async () => {
      await replica.end();
      await test.drop();
      await pair.stop();
    });

    async function replicaHas(note: string): Promise<void> {
      await until(`'${note}' on the replica`, async () => {
        const [rows] = await replica.query(`SELECT 1 FROM ${test.database}.emails WHERE note = '${note}'`);
        return (rows as unknown[]).length > 0 ? true : undefined;
      });
    }

    /** Makes the primary lose what came last, and lets others write when it is there again. */
    async function lose({ back, reach, marks }: Loss): Promise<void> {
      const { primary } = pair;
      // What it has got before must be there still when it asks for more.
      if (!reach) await replica.query(`STOP ${WORD} IO_THREAD`);
      const before = await image(primary, test);
      await test.query('DELETE FROM emails WHERE id = 20');
      for (const id of [3, 11]) await test.query(`UPDATE emails SET note = 'last ${id}' WHERE id = ${id}`);
      if (reach) await replicaHas('last 11');
      if (back === 'both') await replica.query(`STOP ${WORD} IO_THREAD`);
      if (marks === true) await nextMarks(test, 2);
      await primary.kill();
      await before.restore(back);
      await primary.start();
      // Sooner than the primary can be told from the one before: how long it runs is known in whole seconds.
      if (marks === true) await replica.query(`START ${WORD} IO_THREAD`);
      await test.reconnect();
      const ids = [5, 17, 23, 29, 4, 9, 15, 28, 2, 26];
      for (const id of ids) await test.query(`UPDATE emails SET note = 'after ${id}' WHERE id = ${id}`);
      if (marks === true) await replicaHas('after 26');
      else await replica.query(`STOP ${WORD}; START ${WORD}`);
    }

    async function switchOff({ switchedOff }: Loss): Promise<void> {
      if (switchedOff === true) await test.query('SET GLOBAL sync_binlog = 0');
    }

    for (const loss of LOSSES) {
      it(`that loses ${loss.what}: ${loss.ends}`, async () => {
        await begin(loss);
        let times = 0;
        const { host, port, user, password } = pair.replica.connection;
        const end = await test
          .migrate(ADD_COLUMN, {
            ...{ mode: 'binlog', reconnectMs: 60_000 },
            binlog: { source: { host, port, user, password } },
            verify: false,
            hooks: {
              beforeRowCopy: () => switchOff(loss),
              beforeCutOver: () => (++times > 1 ? undefined : lose(loss)),
            },
          })
          .catch((error: unknown) => error as LargeHadronError);
        if (!(end instanceof LargeHadronError)) {
          const old = await test.rows(end.oldTable!);
          expect(without(await test.rows(), 'extra'), 'wrong rows').to.deep.equal(old);
          expect(loss.ends).to.equal('honest');
          expect(old.map(({ note }) => note))
            .to.include('after 17')
            .and.not.include('last 3');
          return;
        }
        if (loss.ends === 'honest') {
          expect(end, end.message).to.include({ code: 'LHM_REPLICA_UNFIT', outcome: 'rolled-back' });
          expect(end.message).to.include('has stopped applying changes');
          return;
        }
        expect(end).to.include({ code: 'LHM_CONNECTION_LOST', outcome: 'rolled-back' });
        expect(end.message).to.include('sync_binlog = 0');
        expect(end.leftovers).to.deep.equal([]);
        await expectWritable(test);
      });
    }
  });
}

const BY_ID = {
  mysql: 'CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = 1',
  mariadb: 'CHANGE MASTER TO MASTER_USE_GTID = slave_pos',
} as const;

interface Image {
  /** To a server that does not run. */
  restore(what: Loss['back']): Promise<void>;
}

/** What a power failure would leave of the server's files now: it stands still while they are copied. */
async function image({ flavor, pid, folder }: RunningServer, test: TestTable): Promise<Image> {
  const place = await endOfLog(test, flavor);
  const [data, copy] = [join(folder!, 'data'), join(folder!, 'copy')];
  process.kill(pid!, 'SIGSTOP');
  try {
    await cp(data, copy, { recursive: true });
  } finally {
    process.kill(pid!, 'SIGCONT');
  }
  return {
    restore: async (what) => {
      if (what === 'log') {
        await truncate(join(data, place.File), place.Position);
        return;
      }
      await rm(join(data, '#innodb_redo'), { recursive: true, force: true });
      // A definition's date is that of its file on MariaDB, and would tell of a change.
      const kept = what === 'rows' ? /\.frm$|\/binlog\.[^/]*$/ : /\.frm$/;
      await cp(copy, data, { recursive: true, filter: (path) => !kept.test(path) });
    },
  };
}
