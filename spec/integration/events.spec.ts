import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { LargeHadronEvents, type EventMap, type EventName, type LargeHadronError } from '../../lib';
import { ask } from '../../lib/control/client';
import { EVENT_NAMES } from '../../lib/events/event-map';
import { expectNoLeaks } from '../support/leak-guard';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable } from '../support/test-table';
import { migrationConnections } from '../support/test-table-process-list';
import { intercept } from '../support/test-table-statements';

const ADD_COLUMN = 'ADD COLUMN extra INT';

/** What comes only where something is wrong. */
const FOR_REASONS: readonly EventName[] = [
  'failed',
  'retry',
  'different',
  'repaired',
  'disconnected',
  'reconnected',
  'warning',
];

for (const { flavor, mode, on } of serversAndModes()) {
  describe(`events on ${on}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let folder: string;

    before(async () => (server = await startServer(flavor, { mode })));
    after(() => server.stop());

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lhm-events-'));
      test = await TestTable.create(server);
    });
    afterEach(async () => {
      await test.drop();
      await rm(folder, { recursive: true });
    });

    /** Postpones once. */
    function postponedOnce(): () => boolean {
      let asked = 0;
      return () => asked++ > 0;
    }

    it('events tell what happens, and no listener can break the run', async () => {
      const events = new LargeHadronEvents();
      const seen = new Map<EventName, unknown[]>();
      for (const name of EVENT_NAMES)
        events.on(name, (event) => {
          seen.set(name, [...(seen.get(name) ?? []), event]);
          if (name.length % 2 === 0) throw new Error('a listener’s');
          return Promise.reject(new Error('a listener’s, later'));
        });
      const path = join(folder, 'socket');
      let held = false;
      const stopHolding = events.on('chunk', () => {
        held = true;
        stopHolding();
      });
      events.on('throttled', () => void (held = false));
      const holder = await test.connect();
      const done = events.once('done');
      const result = await test.migrate(ADD_COLUMN, {
        ...{ events, chunk: { rows: 10, pauseMs: 400 }, control: { socket: path } },
        cutOver: { postponeUntil: postponedOnce(), lockTimeoutMs: 1000 },
        throttle: { sources: [() => (held ? 'one moment' : null)], intervalMs: 20 },
        hooks: {
          // Longer than lockTimeoutMs when the swap is due.
          beforeRowCopy: async () => {
            await holder.query('BEGIN');
            await holder.query('SELECT * FROM emails LIMIT 1');
          },
          afterRowCopy: () => test.query("UPDATE emails SET note = 'later'").then(() => undefined),
          beforeCutOver: async () => {
            await ask({ path }, { command: 'sup' });
            events.on('attemptPostponed', () => void holder.query('COMMIT').catch(() => undefined));
          },
        },
      });
      expect((await done).result).to.equal(result);
      expect([...seen.keys()].sort()).to.deep.equal(
        EVENT_NAMES.filter((name) => !FOR_REASONS.includes(name)).sort(),
      );
      expect(seen.get('planned')).to.deep.equal([
        {
          ...{ table: `${test.database}.emails`, ghostTable: 'emails_lhmn', oldTable: result.oldTable },
          ...{
            key: ['id'],
            dropped: [],
            statements: [`ALTER TABLE \`${test.database}\`.\`emails\` ${ADD_COLUMN}`],
          },
        },
      ]);
      expect(seen.get('round')).to.have.length(result.verified.rounds);
      expect(seen.get('postponed')).to.have.length(1);
      expect(seen.get('released')).to.have.length(1);
      expect(seen.get('phase')).to.deep.include({ table: `${test.database}.emails`, phase: 'copy' });
      expect(seen.get('chunk')).to.deep.include({
        table: `${test.database}.emails`,
        rows: 10,
        rowsCopied: 20,
      });
      expect(seen.get('swapped')).to.have.length(1);
      const error: LargeHadronError = await failureOf(test.migrate(ADD_COLUMN, { events }));
      expect(seen.get('failed')).to.deep.equal([{ table: error.table, error }]);
    });

    it('tell of rows that differed and were repaired', async () => {
      const events = new LargeHadronEvents();
      const told: unknown[] = [];
      events.on('different', ({ rows, keys }) => told.push({ rows, keys }));
      events.on('repaired', ({ rows }) => told.push(rows));
      intercept(test.knex, {
        ...{ match: /^SELECT hadron_rows/, when: 'before' },
        run: async () => {
          await test.query("UPDATE emails_lhmn SET note = 'wrong' WHERE id = 7");
          await test.query('DELETE FROM emails_lhmn WHERE id = 8');
        },
      });
      await test.migrate(ADD_COLUMN, { events });
      expect(told).to.deep.equal([{ rows: 2, keys: ['id = 7', 'id = 8'] }, 2]);
      await expectNoLeaks(test);
    });

    it('tell of connections that are lost and come back, and of what goes wrong beside', async () => {
      const events = new LargeHadronEvents();
      const told: string[] = [];
      for (const name of ['disconnected', 'reconnected'] as const) events.on(name, () => told.push(name));
      const messages: string[] = [];
      events.on('warning', ({ message }) => messages.push(message));
      const reconnected = events.once('reconnected');
      await test.migrate(ADD_COLUMN, {
        ...{ events, reconnectMs: 30_000, chunk: { rows: 10 } },
        hooks: {
          beforeRowCopy: async () => {
            for (const { Id: id } of await migrationConnections(test)) await test.query(`KILL ${id}`);
          },
          onSuccess: () => Promise.reject(new Error('no mail')),
        },
      });
      expect(told.slice(0, 2)).to.deep.equal(['disconnected', 'reconnected']);
      expect((await reconnected).afterMs).to.be.above(0);
      expect(messages).to.deep.equal(['The hook onSuccess threw, which is ignored: no mail.']);
      await expectNoLeaks(test);
    });

    it('are told to an EventEmitter of Node’s, too, whose listeners break nothing', async () => {
      const events = new EventEmitter();
      const rejections: unknown[] = [];
      const unhandled = (reason: unknown): unknown => rejections.push(reason);
      process.on('unhandledRejection', unhandled);
      try {
        const phases: string[] = [];
        for (const name of EVENT_NAMES) {
          events.on(name, () => {
            throw new Error('a listener’s');
          });
          // Its type says otherwise, as with many a listener.
          events.on(name, (async () => {
            await Promise.reject(new Error('a listener’s, later'));
          }) as () => void);
        }
        events.on('phase', ({ phase }: EventMap['phase']) => phases.push(phase));
        let once = 0;
        events.once('phase', () => once++);
        const result = await test.migrate(ADD_COLUMN, { events });
        expect(phases).to.deep.equal(Object.keys(result.durations).filter((n) => phases.includes(n)));
        expect(phases).to.include.members(['copy', 'verify', 'cut-over']);
        expect(once).to.equal(1);
        await new Promise(setImmediate);
        expect(rejections).to.deep.equal([]);
      } finally {
        process.off('unhandledRejection', unhandled);
      }
      await expectNoLeaks(test);
    });
  });
}
