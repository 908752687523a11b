import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  LargeHadronError,
  LargeHadronEvents,
  type HookOptions,
  type MigrationResult,
  type ProgressSnapshot,
} from '../../lib';
import { ask, NobodyThere, type Reply } from '../../lib/control/client';
import { patience } from '../../lib/control/control-connection';
import { vigilance } from '../../lib/control/kept-socket';
import { socketPaths } from '../../lib/control/socket-path';
import { expectNoLeaks } from '../support/leak-guard';
import { expectTakenBack } from '../support/leak-guard-leftovers';
import { availableFlavors, startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable, without, type Options } from '../support/test-table';
import { until } from '../support/test-table-process-list';
import { ADD_COLUMN } from '../support/test-table-refusal';
import { aroundQueries, intercept } from '../support/test-table-statements';

const ROWS = 300;
const SLOWLY = { rows: 2, pauseMs: 10 };
const TOKEN = 'nobody guesses this one';

/** What a person types, and everything that comes back. */
async function typed(path: string, text: string): Promise<string> {
  const socket = createConnection({ path });
  socket.setEncoding('utf8');
  socket.end(text);
  let answer = '';
  for await (const part of socket) answer += part as string;
  return answer;
}

for (const flavor of availableFlavors()) {
  describe(`the control server of a migration on ${flavor}`, function () {
    this.timeout(60_000);
    let server: RunningServer;
    let test: TestTable;
    let folder: string;
    let path: string;
    let was: { definition: string; rows: Record<string, unknown>[] };
    let now: ProgressSnapshot | null;
    let copied: number[];
    let end: Promise<MigrationResult | LargeHadronError>;

    before(async () => (server = await startServer(flavor)));
    after(() => server.stop());

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lhm-control-'));
      path = join(folder, 'socket');
      test = await TestTable.create(server, { rows: ROWS });
      was = { definition: await test.definition(), rows: await test.rows() };
      now = null;
      copied = [];
    });
    afterEach(async () => {
      patience.tokenMs = 10_000;
      vigilance.lookMs = 5000;
      delete process.env['LHM_SOCKET_DIRECTORY'];
      await test.drop();
      await rm(folder, { recursive: true });
    });

    /** Begins, and resolves when rows are being copied. */
    async function begin(options: Options = {}): Promise<void> {
      const running = test.migrate(ADD_COLUMN, {
        ...{ chunk: SLOWLY, control: { socket: path } },
        ...options,
        progress: (snapshot) => {
          now = snapshot;
          if (snapshot.rowsCopied !== copied.at(-1)) copied.push(snapshot.rowsCopied);
        },
      });
      end = running.catch((error: unknown) => error as LargeHadronError);
      await seen('some rows', ({ rowsCopied }) => rowsCopied > 4);
    }

    async function seen(what: string, condition: (snapshot: ProgressSnapshot) => boolean): Promise<void> {
      let over: unknown;
      void end.then((value) => (over = value));
      await until(what, () => {
        if (now !== null && condition(now)) return Promise.resolve(true);
        if (over !== undefined) throw over instanceof Error ? over : new Error(`it ended before: ${what}`);
        return Promise.resolve(undefined);
      });
    }

    const say = (command: string, value?: string): Promise<Reply> =>
      ask({ path }, value === undefined ? { command } : { command, value });

    async function sayWell(command: string, value?: string): Promise<Reply> {
      const reply = await say(command, value);
      expect(reply.ok, reply.text).to.equal(true);
      return reply;
    }

    async function expectSwapped(): Promise<void> {
      // What the test wanted to see has been seen.
      for (const hurry of ['chunk.pauseMs=0', 'chunk.rows=1000'])
        await say(...(hurry.split('=') as [string, string])).catch(() => undefined);
      const result = await end;
      if (result instanceof Error) throw result;
      expect(without(await test.rows(), 'extra')).to.deep.equal(was.rows);
      expect(await test.definition()).to.contain('`extra`');
      await expectNoLeaks(test);
    }

    it('is there for its owner alone, and gone with the migration', async () => {
      await begin();
      expect((await stat(path)).mode & 0o777).to.equal(0o600);
      await expectSwapped();
      expect(await stat(path).catch((error: unknown) => (error as NodeJS.ErrnoException).code)).to.equal(
        'ENOENT',
      );
    });

    it('tells how it stands, to people and to programs', async () => {
      const [flag, held] = [join(folder, 'flag'), join(folder, 'held')];
      await begin({ throttle: { flagFile: flag }, cutOver: { postponeUntil: held } });
      const { data } = await sayWell('status');
      expect(data).to.include({ table: `${test.database}.emails`, phase: 'copy', pid: process.pid });
      expect(await typed(path, 'status\n'))
        .to.contain('throttle.maxLagMs = 1500 ms')
        .and.contain(`held while there is ${flag} (throttle.flagFile)`)
        .and.contain(`swap held back while there is ${held} (cutOver.postponeUntil)`);
      expect(await typed(path, 'sup\nchunk-size\n')).to.match(
        /^\[lhm\] .*: copy, .*\nchunk\.rows = 2 rows\n$/,
      );
      expect(await typed(path, 'help')).to.contain('postpone-cut-over-flag-file');
      expect(await typed(path, 'applier')).to.contain(server.version.slice(0, 4));
      expect(await typed(path, 'coordinates')).to.contain('mode is triggers');
      await expectSwapped();
    });

    it('tells how far the binary log has been read', async () => {
      let early = '';
      const onValidated = async (): Promise<void> => {
        early = await typed(path, 'coordinates');
      };
      await begin({ mode: 'binlog', hooks: { onValidated } });
      expect(early).to.equal('the binary log is not read yet\n');
      expect((await sayWell('coordinates')).text).to.match(/^[\w.-]+\.\d+:\d+$/);
      await expectSwapped();
    });

    it('throttle, no-throttle: rows are held, and go on', async () => {
      await begin();
      await sayWell('throttle', 'lunch');
      await seen('the hold', ({ throttled }) => throttled === 'the operator (lunch)');
      const { rowsCopied } = now!;
      expect(rowsCopied).to.be.below(ROWS);
      expect((await sayWell('sup')).text).to.contain('throttled: the operator (lunch)');
      expect((await sayWell('status')).data).to.include({ rowsCopied });
      await sayWell('no-throttle');
      await seen('more rows', (snapshot) => snapshot.rowsCopied > rowsCopied);
      await expectSwapped();
    });

    it('chunk-size: the next chunks have it', async () => {
      await begin();
      expect((await sayWell('chunk-size', '50')).text).to.equal('chunk.rows = 50 rows');
      await seen('the end of the copy', ({ phase }) => phase !== 'copy');
      await expectSwapped();
      const chunks = new Set(copied.slice(1, -1).map((rows, i) => rows - copied[i]!));
      expect([...chunks]).to.deep.equal([2, 50]);
    });

    it('what it makes way for: it holds for each, goes on without, and every setting is shown', async () => {
      let status = 503;
      const site = createHttpServer((_, response) => response.writeHead(status).end());
      await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
      const url = `http://127.0.0.1:${(site.address() as { port: number }).port}/`;
      const { host, port, user, password } = server.connection;
      const noReplica = `mysql://${user}:${password}@${host}:${port}`;
      await begin({ throttle: { intervalMs: 20 } });
      for (const [name, value, says] of [
        ['max-load', 'Threads_running=50,nope=3', /no status variable 'nope'/],
        ['throttle.criticalLoad', 'nope=3', /no status variable 'nope'/],
        ['max-load', 'Threads_running', /Threads_running=50/],
      ] as const) {
        const before = (await sayWell(name)).text;
        const reply = await say(name, value);
        expect(reply.ok, reply.text).to.equal(false);
        expect(reply.text).to.match(says);
        expect((await sayWell(name)).text).to.equal(before);
      }
      for (const [name, value, reason] of [
        ['throttle-query', 'SELECT 7', 'throttle.query'],
        ['max-load', 'Threads_connected=0', 'throttle.maxLoad'],
        ['throttle-http', url, '503'],
        ['throttle-control-replicas', noReplica, 'no replica'],
        ['throttle-control-replicas', 'mysql://u:p@127.0.0.1:1', 'replica 127.0.0.1:1, which'],
      ] as const) {
        const reply = await sayWell(name, value);
        expect(reply.text).to.contain(value.replace(/:[^:/]*@/, ':***@'));
        await seen(`a hold for ${name}`, ({ throttled }) => throttled?.includes(reason) === true);
        const { rowsCopied } = now!;
        expect((await sayWell('sup')).data).to.include({ rowsCopied });
        if (value === url) status = 200;
        else await sayWell(name, 'off');
        await seen(`no hold for ${name}`, ({ throttled }) => throttled === null);
      }
      for (const [name, value, shown] of [
        ['max-lag-millis', '700', 'throttle.maxLagMs = 700 ms'],
        ['dml-batch-size', '20', 'binlog.batchRows = 20 rows; without effect, as mode is triggers'],
        ['nice-ratio', '0.5', 'throttle.niceRatio = 0.5 times'],
        ['chunk.pauseMs', '5', 'chunk.pauseMs = 5 ms'],
      ] as const) {
        expect((await sayWell(name, value)).text).to.equal(shown);
        expect((await sayWell(name, '?')).text).to.equal(shown);
        expect(await typed(path, `${name}\n`)).to.equal(`${shown}\n`);
      }
      await expectSwapped();
      await new Promise((resolve) => site.close(resolve));
    });

    it('nice-ratio: it rests after each chunk, and no longer', async () => {
      await begin();
      await sayWell('nice-ratio', '100');
      await sayWell('chunk.pauseMs', '0');
      const looks: number[] = [];
      // It rests far longer than it copies: looks follow each other without a row more.
      await until('a rest', async () => {
        const { phase, rowsCopied } = (await sayWell('sup')).data as ProgressSnapshot;
        looks.push(rowsCopied);
        expect(phase).to.equal('copy');
        return looks.length >= 5 && looks.slice(-5).every((rows) => rows === rowsCopied) ? true : undefined;
      });
      await sayWell('nice-ratio', '0');
      await expectSwapped();
    });

    it('dml-batch-size: so many changes are applied at once', async () => {
      let batches = 0;
      aroundQueries(test.knex, (query) => (sql, values, callback) => {
        if (/^DELETE .*_lhmj_/.test(sql)) batches += 1;
        return query(sql, values, callback);
      });
      await begin({
        mode: 'binlog',
        chunk: { rows: 100 },
        hooks: { beforeRowCopy: () => void sayWell('postpone') },
      });
      await seen('the postponement', ({ phase, waitingFor }) => phase === 'postpone' && waitingFor !== null);
      /** @returns in how many batches 30 changes are applied */
      const applied = async (size: string): Promise<number> => {
        await sayWell('dml-batch-size', size);
        const [before, changes] = [batches, now!.changesApplied];
        await test.query('UPDATE emails SET size = size + 1 WHERE id <= 30');
        await seen('the changes', ({ changesApplied }) => changesApplied >= changes + 30);
        return batches - before;
      };
      expect(await applied('3')).to.be.at.least(10);
      expect(await applied('1000')).to.be.below(10);
      was = { ...was, rows: await test.rows() };
      await sayWell('cut-over');
      await expectSwapped();
    });

    it('critical-load: above it, it stops and takes everything back', async () => {
      await begin({ throttle: { intervalMs: 20 } });
      await sayWell('critical-load', 'Threads_connected=0');
      await expectTakenBack(test, (await end) as LargeHadronError, was, { code: 'LHM_CRITICAL_LOAD' });
    });

    it('postpone, postpone-cut-over-flag-file, cut-over: the swap is held back, and follows', async () => {
      const flag = join(folder, 'flag');
      await writeFile(flag, '');
      await begin({ chunk: { rows: 100 }, hooks: { beforeRowCopy: () => void sayWell('postpone') } });
      await seen('the postponement', ({ phase, waitingFor }) => phase === 'postpone' && waitingFor !== null);
      await test.query("INSERT INTO emails (id, address) VALUES (5000, 'late')");
      was = { ...was, rows: await test.rows() };
      expect(await test.definition()).not.to.contain('`extra`');
      expect((await sayWell('postpone-cut-over-flag-file', flag)).text).to.contain(flag);
      await seen('the flag', ({ waitingFor }) => waitingFor?.includes(flag) === true);
      const released = performance.now();
      expect((await say('cut-over', 'others')).ok).to.equal(false);
      await sayWell('cut-over', 'emails');
      await seen('the swap', ({ phase }) => phase === 'cut-over');
      expect(performance.now() - released, 'ms until it began').to.be.below(5000);
      await expectSwapped();
    });

    it('postpone-cut-over-flag-file: holds the swap back also when its attempts have begun, and takes no file that cannot be looked for', async () => {
      const flag = join(folder, 'flag');
      await writeFile(flag, '');
      const beforeCutOver = async (): Promise<void> => {
        await sayWell('throttle', 'lunch');
      };
      await begin({ chunk: { rows: 100 }, hooks: { beforeCutOver } });
      await seen('the first attempt', ({ phase }) => phase === 'cut-over');
      for (const bad of ['', 'a\0b', join(folder, 'x'.repeat(300)), join(flag, 'x')])
        expect((await say('postpone-cut-over-flag-file', bad)).ok, bad).to.equal(false);
      await sayWell('postpone-cut-over-flag-file', flag);
      await sayWell('no-throttle');
      await seen('the flag', ({ waitingFor }) => waitingFor?.includes(flag) === true);
      expect(await test.definition()).not.to.contain('`extra`');
      await rm(flag);
      await expectSwapped();
    });

    it('a rest that was set by mistake ends as soon as that is mended', async () => {
      await begin();
      await sayWell('chunk.pauseMs', '86400000');
      await seen('the rest', ({ rowsCopied }) => rowsCopied > 4);
      const { rowsCopied } = now!;
      await sayWell('chunk.pauseMs', '0');
      await seen('more rows', (snapshot) => snapshot.rowsCopied > rowsCopied + 4);
      await expectSwapped();
    });

    it('tells nobody a password or the token, wherever they are put', async () => {
      const events = new LargeHadronEvents();
      const told: string[] = [];
      events.on('command', (event) => told.push(JSON.stringify(event)));
      events.on('throttled', (event) => told.push(JSON.stringify(event)));
      const url = 'mysql://lhm:gehe@im@127.0.0.1:1/x';
      const onInteractiveCommand = (context: object): void => {
        told.push(JSON.stringify(context));
      };
      await begin({ events, hooks: { onInteractiveCommand } });
      for (const line of [
        `throttle.replicas=${url}`,
        `throttle.replicas ${url}`,
        `throttle=${url}`,
        `token=${TOKEN}`,
      ])
        told.push(await typed(path, line));
      await sayWell('throttle', 'a\n\u001b[2Jb');
      await seen('one line', ({ throttled }) => throttled === 'the operator (a [2Jb)');
      told.push(await typed(path, 'status'));
      expect(told.join('\n')).not.to.match(/gehe|im@|nobody guesses/);
      await sayWell('throttle.replicas', 'off');
      await sayWell('no-throttle');
      await expectSwapped();
    });

    it('panic: the table is as it was', async () => {
      await begin();
      await sayWell('panic');
      const error = await end;
      expect(error).to.be.instanceOf(LargeHadronError);
      await expectTakenBack(test, error as LargeHadronError, was, { code: 'LHM_PANIC' });
    });

    it('a hook that takes long is named, and once the tables are swapped nothing is said to be taken back', async () => {
      const release: (() => void)[] = [];
      const held = (): Promise<void> => new Promise((resolve) => release.push(resolve));
      const [chunk, hooks] = [{ rows: 1000 }, { afterRowCopy: held, afterCutOver: held, onSuccess: held }];
      await begin({ chunk, hooks, mode: 'binlog' });
      for (const name of ['afterRowCopy', 'afterCutOver', 'onSuccess']) {
        await seen(`the wait for ${name}`, ({ hook }) => hook?.name === name);
        expect(now!.hook).to.include({ name });
        expect((await sayWell('sup')).text).to.match(
          new RegExp(`, waiting for the hook ${name} for \\d+ s$`),
        );
        for (const command of name === 'afterRowCopy' ? [] : ['panic', 'postpone', 'throttle']) {
          const { ok, text } = await say(command);
          expect(text, command).to.match(
            /^the tables are swapped already; the original is kept as 'emails_lhmo_\d+'/,
          );
          expect(ok, command).to.equal(false);
        }
        if (name !== 'afterRowCopy') expect((await sayWell('cut-over')).text).to.contain('swapped already');
        release.pop()!();
      }
      await expectSwapped();
    });

    it('whoever speaks to it while it takes everything back, and after that, is answered', async () => {
      const release: (() => void)[] = [];
      const held = (): Promise<void> => new Promise((resolve) => release.push(resolve));
      intercept(test.knex, { match: /^DROP TABLE .*_lhmn/, when: 'before', run: held });
      const [told, warnings]: string[][] = [[], []];
      const events = new LargeHadronEvents();
      events.on('warning', ({ message }) => warnings!.push(message));
      await begin({
        events,
        hooks: {
          ...{ onFailure: held, statusEveryMs: 10, onStatus: () => void told!.push('onStatus') },
          onInteractiveCommand: ({ command }) => void told!.push(command),
        },
      });
      const expectAnswers = async (what: string): Promise<void> => {
        for (const command of ['status', 'sup', 'help', 'chunk-size', 'applier', 'no-throttle'])
          expect(await say(command), `${what}: ${command}`).to.include({ ok: true });
        expect(await say('panic')).to.include({ ok: true });
        for (const command of ['throttle', 'postpone', 'cut-over', 'panic', 'nonsense']) {
          const { ok, text } = await say(command);
          expect(ok, `${what}: ${command}`).to.equal(command === 'panic');
          expect(text).to.match(command === 'nonsense' ? /no command/ : /is ending already/);
        }
        told!.length = 0;
        await until('a status', () => told!.includes('onStatus') || undefined);
      };
      await sayWell('panic');
      for (const what of ['the clean-up', 'onFailure']) {
        await until(what, () => release.length > 0 || undefined);
        const letGo = release.pop()!;
        try {
          await expectAnswers(what);
        } catch (error) {
          release.push = (resolve) => (resolve(), 0);
          throw error;
        } finally {
          letGo();
        }
      }
      await expectTakenBack(test, (await end) as LargeHadronError, was, { code: 'LHM_PANIC' });
      expect(warnings).to.deep.equal([]);
      expect(await say('status').catch((error: unknown) => error)).to.be.instanceOf(NobodyThere);
    });

    it('what has been said when it ends is answered before it hangs up, but waits for no hook', async () => {
      let end: () => void;
      const ending = new Promise<void>((resolve) => (end = resolve));
      const heard: string[] = [];
      const answers: Readonly<Record<string, () => Promise<void>>> = {
        sup: () => ending,
        applier: () => ending.then(() => new Promise((soon) => setTimeout(soon, 100))),
        coordinates: () => new Promise(() => undefined),
      };
      await begin({
        chunk: { rows: 10, pauseMs: 10 },
        hooks: {
          onInteractiveCommand: ({ command }) => {
            heard.push(command);
            return answers[command]?.();
          },
          onSuccess: () => until('all to be heard', () => heard.length >= 3 || undefined).then(() => end()),
        },
      });
      const asked = Object.keys(answers).map((command) => say(command).catch((error: unknown) => error));
      const [sup, applier, never] = await Promise.all(asked);
      expect([sup, applier].map((reply) => (reply as Reply).ok)).to.deep.equal([true, true]);
      expect(never).to.be.instanceOf(NobodyThere);
      await expectSwapped();
    });

    it('wait is answered when it has ended', async () => {
      await begin();
      const waiting = ask({ path }, { command: 'wait' }, { withinMs: 60_000 });
      expect((await sayWell('sup')).data).to.include({ throttled: null });
      await expectSwapped();
      const { ok, data } = await waiting;
      expect(ok).to.equal(true);
      expect(data).to.deep.equal({ outcome: 'done', code: null });
    });

    it('forceNamed: what holds, releases or stops must name the table', async () => {
      await begin({ control: { socket: path, forceNamed: true } });
      for (const command of ['throttle', 'no-throttle', 'postpone', 'unpostpone', 'panic']) {
        expect((await say(command)).text, command).to.contain(`${test.database}.emails`);
        expect((await say(command, 'orders')).text, command).to.contain('not of orders');
      }
      expect((await sayWell('sup')).data).to.include({ throttled: null });
      await sayWell('throttle', 'emails for lunch');
      await seen('the hold', ({ throttled }) => throttled === 'the operator (for lunch)');
      await sayWell('no-throttle', `${test.database}.emails`);
      await sayWell('unpostpone', `${test.database}.emails`);
      await expectSwapped();
    });

    it('garbage, endless lines and a client that never reads change nothing', async () => {
      await begin();
      const settings = (): Promise<unknown> =>
        sayWell('status').then(({ data }) => (data as { settings: unknown }).settings);
      const before = await settings();
      const deaf: Socket = createConnection({ path });
      deaf.on('error', () => undefined);
      deaf.pause();
      const gone = new Promise((resolve) => deaf.once('close', resolve));
      for (let line = 0; line < 4000 && !deaf.destroyed; line++) deaf.write('status\n');
      const garbage = [
        ...Array.from({ length: 100 }, () => randomBytes(40).toString('latin1').replace(/\n/g, ' ')),
        ...['chunk-size=-1', 'chunk-size=many', 'nice-ratio=1e9', 'max-load=;', 'throttle-http=ftp://x', '='],
        ...['{}', '{"command":5}', '{"command":"chunk-size","value":{}}', '{"command":', 'panic=orders'],
      ];
      for (const line of garbage) {
        const answer = await typed(path, `${line}\n`);
        if (line.trim() !== '') expect(answer, JSON.stringify(line)).to.match(/^error: |^\{"ok":false/);
      }
      expect(await typed(path, 'x'.repeat(100_000)).catch(() => 'error: cut off')).to.match(/^error: /);
      expect(await settings()).to.deep.equal(before);
      deaf.resume();
      await gone;
      await expectSwapped();
    });

    it('more commands at once than may wait are all answered, in their order', async () => {
      await begin();
      const lines = Array.from({ length: 450 }, (_, i) =>
        i % 3 === 0 ? `chunk-size=${5 + i}` : 'chunk-size',
      );
      const answers = (await typed(path, `${lines.join('\n')}\n`)).trim().split('\n');
      expect(answers).to.have.length(450);
      for (const [i, answer] of answers.entries())
        expect(answer).to.match(new RegExp(`\\b${5 + i - (i % 3)}\\b`));
      await expectSwapped();
    });

    it('a client that does not read holds nothing up, not even the end', async () => {
      await begin();
      const deaf: Socket = createConnection({ path });
      deaf.on('error', () => undefined);
      deaf.pause();
      // More than the system takes for it, less than is let go for.
      const { text } = await sayWell('status');
      for (let said = 0; said < 350_000; said += text.length) deaf.write('status\n');
      await expectSwapped();
      deaf.destroy();
    });

    it('clients that are silent keep nobody out, and who comes when all are being answered is told so', async () => {
      let answered = (): void => undefined;
      const slow = new Promise<void>((resolve) => (answered = resolve));
      let asked = 0;
      const onInteractiveCommand: HookOptions['onInteractiveCommand'] = ({ command }) => {
        if (command !== 'coordinates') return;
        asked += 1;
        return slow;
      };
      await begin({ hooks: { onInteractiveCommand } });
      await sayWell('throttle');
      const clients: Socket[] = [];
      const connect = async (): Promise<Socket> => {
        const socket = createConnection({ path }).setEncoding('utf8');
        socket.on('error', () => undefined).resume();
        clients.push(socket);
        await new Promise((resolve) => socket.once('connect', resolve));
        return socket;
      };
      try {
        for (let i = 0; i < 50; i++) await connect();
        await sayWell('sup');
        for (const socket of clients) socket.destroy();
        for (let i = 0; i < 32; i++) (await connect()).write('coordinates\n');
        await until('all to be asked', () => Promise.resolve(asked === 32 || undefined));
        expect((await say('sup')).text).to.match(/32 clients are being answered/);
        answered();
        await until('room', async () => ((await say('sup')).ok ? true : undefined));
      } finally {
        answered();
        for (const socket of clients) socket.destroy();
      }
      await sayWell('no-throttle');
      await expectSwapped();
    });

    it('TCP takes nothing without the token', async () => {
      const port = await freePort();
      await begin({ control: { socket: false, tcp: `127.0.0.1:${port}`, token: TOKEN } });
      const address = { host: '127.0.0.1', port };
      for (const token of [undefined, 'nobody guesses this onf']) {
        const reply = await ask(address, { command: 'panic' }, token === undefined ? {} : { token });
        expect(reply).to.deep.equal({ ok: false, text: 'the token is missing or wrong' });
      }
      const reply = await ask(address, { command: 'status' }, { token: TOKEN });
      expect(reply.ok, reply.text).to.equal(true);
      patience.tokenMs = 20;
      const silent = createConnection(address).resume();
      await new Promise((resolve) => silent.once('close', resolve));
      await ask(address, { command: 'chunk.rows', value: '1000' }, { token: TOKEN });
      await expectSwapped();
    });

    it('TCP: who is silent keeps nobody out, and who has said the token stays', async () => {
      const port = await freePort();
      await begin({
        chunk: { rows: 2, pauseMs: 50 },
        control: { socket: false, tcp: `127.0.0.1:${port}`, token: TOKEN },
      });
      const address = { host: '127.0.0.1', port };
      const trusted = createConnection(address).setEncoding('utf8');
      trusted.write(`token=${TOKEN}\n`);
      await heard(trusted, /welcome/);
      const silent: Socket[] = [];
      const closed: number[] = [];
      try {
        for (let i = 0; i < 64; i++) {
          const socket = createConnection(address).resume();
          socket.on('error', () => undefined).on('close', () => closed.push(i));
          silent.push(socket);
          await new Promise((resolve) => socket.once('connect', resolve));
        }
        const reply = await ask(address, { command: 'sup' }, { token: TOKEN });
        expect(reply.ok, reply.text).to.equal(true);
        // The newest are still served: 32 at the same time, one of which said the token, and one has come since.
        await until('the oldest to be let go', () => closed.length >= 34 || undefined);
        expect([...closed].sort((a, b) => a - b)).to.deep.equal(Array.from({ length: 34 }, (_, i) => i));
        trusted.write('chunk-size\n');
        await heard(trusted, /chunk\.rows = 2 rows/);
      } finally {
        for (const socket of [...silent, trusted]) socket.destroy();
      }
      for (const [command, value] of [
        ['chunk.pauseMs', '0'],
        ['chunk.rows', '1000'],
      ] as const)
        await ask(address, { command, value }, { token: TOKEN });
      await expectSwapped();
    });

    it('a socket that somebody removes is there again at the same path, and who was connected is served on', async () => {
      vigilance.lookMs = 50;
      await begin();
      const connected = createConnection({ path }).setEncoding('utf8');
      await new Promise((resolve) => connected.once('connect', resolve));
      for (let removed = 0; removed < 3; removed++) {
        await unlink(path);
        await until('the socket', () =>
          stat(path).then(
            (found) => found.isSocket() || undefined,
            () => undefined,
          ),
        );
        await sayWell('sup');
        expect((await stat(path)).mode & 0o777).to.equal(0o600);
      }
      connected.write('chunk-size\n');
      await heard(connected, /chunk\.rows = 2 rows/);
      connected.destroy();
      // What somebody has put in its place is theirs.
      await writeFile(`${path}-`, 'dear');
      await rename(`${path}-`, path);
      const result = await end;
      expect(result).not.to.be.instanceOf(Error);
      expect(await readFile(path, 'utf8')).to.equal('dear');
      await expectSwapped();
    });

    const untilBack = (): Promise<unknown> =>
      until('the socket', () =>
        say('sup').then(
          ({ ok }) => ok || undefined,
          () => undefined,
        ),
      );

    it('a socket whose folder is removed is there again, and its folder, too', async () => {
      vigilance.lookMs = 50;
      const own = join(folder, 'own');
      process.env['LHM_SOCKET_DIRECTORY'] = own;
      await begin({ control: true, chunk: { rows: 2, pauseMs: 50 } });
      [path] = (await socketPaths()) as [string];
      await rm(own, { recursive: true });
      await untilBack();
      expect(await socketPaths()).to.deep.equal([path]);
      expect((await stat(own)).mode & 0o777).to.equal(0o700);
      await expectSwapped();
    });

    it('a socket in a folder of your own that is removed waits for it, with one warning', async () => {
      vigilance.lookMs = 50;
      const own = join(folder, 'own');
      await mkdir(own);
      path = join(own, 'socket');
      const warnings: string[] = [];
      const events = new LargeHadronEvents();
      events.on('warning', ({ message }) => warnings.push(message));
      await begin({ events, chunk: { rows: 2, pauseMs: 50 }, control: { socket: path } });
      await rm(own, { recursive: true });
      await until('a warning', () => warnings.length > 0 || undefined);
      const { rowsCopied } = now!;
      await seen('more rows', (snapshot) => snapshot.rowsCopied > rowsCopied + 4);
      await mkdir(own);
      await untilBack();
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.match(
        /^The control socket '.*own\/socket' was removed, and cannot be made again: /,
      );
      await expectSwapped();
    });

    it('a socket of a process that is gone is replaced, a live one is not, and neither harms', async () => {
      await leaveSocket(path);
      await begin();
      const another = await TestTable.create(server);
      const error = await failureOf(another.migrate(ADD_COLUMN, { control: { socket: path } }));
      expect(error).to.include({ code: 'LHM_CONTROL', outcome: 'untouched' });
      expect(error.hint).to.contain('control');
      const file = join(folder, 'file');
      await writeFile(file, 'dear');
      expect(await failureOf(another.migrate(ADD_COLUMN, { control: { socket: file } }))).to.include({
        code: 'LHM_CONTROL',
        outcome: 'untouched',
      });
      expect(await readFile(file, 'utf8'), 'a file is left alone').to.equal('dear');
      await another.drop();
      await sayWell('sup');
      await expectSwapped();
    });

    it('refuses TCP without a token', async () => {
      const error = await failureOf(test.migrate(ADD_COLUMN, { control: { tcp: '127.0.0.1:0' } }));
      expect(error).to.include({ code: 'LHM_BAD_OPTION', outcome: 'untouched' });
    });
  });
}

/** Resolves when a client has been told something like it. */
async function heard(socket: Socket, what: RegExp): Promise<void> {
  let text = '';
  const hear = (part: string): void => void (text += part);
  socket.on('data', hear);
  await until(String(what), () => what.test(text) || undefined);
  socket.off('data', hear);
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** As a process does that was killed. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}-`, resolve));
  await rename(`${path}-`, path);
  await new Promise((resolve) => server.close(resolve));
}
