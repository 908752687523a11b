import { expect } from 'chai';

import { largeHadronCleanUp } from '../../lib';
import { FAULTS, type Fault } from '../faults/fail-once';
import { serversAndModes } from '../support/available-modes';
import { expectNoLeaks } from '../support/leak-guard';
import { startServer, type RunningServer } from '../support/servers';
import { atomicStrategiesOf } from '../support/strategies';
import { sweep, type Sweep } from '../faults/sweep';
import type { TestTable } from '../support/test-table';
import { ADD_COLUMN } from '../support/test-table-refusal';
import {
  auditCounts,
  auditTable,
  expectInOrder,
  sum,
  writeAudited,
  type Counts,
} from '../support/triggers/audit';
import { triggerFacts } from '../support/triggers/trigger-facts';

/** Statements that have nothing to do with triggers, which are swept elsewhere. */
const OTHERS = /^[^›]*› (?!.*(?:TRIGGER|RENAME TABLE|LOCK TABLES|SET record|character_set_client))/;

/**
 * The end of all connections while the RENAME runs, which is no statement of these but goes on beside them: it costs MariaDB
 * the table's triggers; see existing-triggers-rename-killed.
 */
const RENAMING: Readonly<Partial<Record<Fault, RegExp>>> = {
  'dead before': /DROP TABLE `db`\.`emails_lhmo_N` › UNLOCK TABLES/,
  'dead after': /› DROP TABLE `db`\.`emails_lhmo_N`|DROP TABLE `db`\.`emails_lhmo_N` › UNLOCK TABLES/,
};

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`every statement about the table's triggers that fails once on ${on}`, function () {
    this.timeout(600_000);
    let server: RunningServer;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    for (const strategy of every(2, atomicStrategiesOf(flavor))) {
      for (const fault of every(3, FAULTS)) {
        it(`(${strategy}, ${fault}): each trigger fires once for every write, whatever becomes of the migration`, async () => {
          const known = new Map<TestTable, { facts: unknown[]; counts: Counts; next: number }>();
          const prepare = async (test: TestTable): Promise<void> => {
            known.set(test, { facts: await auditTable(test, false), counts: {}, next: 5000 });
          };
          const write = async (test: TestTable): Promise<void> => {
            const knowledge = known.get(test)!;
            knowledge.next += 10;
            knowledge.counts = sum(knowledge.counts, await writeAudited(test, knowledge.next));
          };
          const attempt: Sweep['attempt'] = ({ test }, knex, arm) => {
            const hooks = { beforeCutOver: () => write(test).then(arm) };
            return test.migrate(ADD_COLUMN, { knex, cutOver: { strategy }, hooks });
          };
          const check: Sweep['check'] = async ({ test }, error) => {
            const swapped = (await test.definition()).includes('`extra`');
            // Where the server could not be asked any more, the outcome is unknown.
            if (error?.outcome !== 'unknown')
              expect(error === null || error.outcome === 'swapped').to.equal(swapped);
            const { facts } = known.get(test)!;
            await write(test);
            expect(await auditCounts(test), 'before the clean-up').to.deep.equal(known.get(test)!.counts);
            if (error !== null) await largeHadronCleanUp('emails', { knex: test.makeKnex() });
            expect(await triggerFacts(test)).to.deep.equal(facts);
            await write(test);
            expect(await auditCounts(test)).to.deep.equal(known.get(test)!.counts);
            await expectInOrder(test, false);
            await expectNoLeaks(test);
            return swapped ? 'changed' : 'as before';
          };
          const { places, problems } = await sweep({
            ...{
              name: `triggers, ${strategy}`,
              server,
              fault,
              prepare,
              attempt,
              check,
              armed: 'later',
              except: flavor === 'mariadb' ? either(OTHERS, RENAMING[fault]) : OTHERS,
            },
          });
          expect(problems, problems.join('\n')).to.deep.equal([]);
          expect(places).to.be.at.least(20);
        });
      }
    }
  });
}

function either(one: RegExp, other: RegExp | undefined): RegExp {
  return other === undefined ? one : new RegExp(`${one.source}|${other.source}`);
}
