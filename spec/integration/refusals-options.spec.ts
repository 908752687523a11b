import { expect } from 'chai';
import createKnex from 'knex';

import { largeHadronMigrate } from '../../lib';
import { serversAndModes } from '../support/available-modes';
import { startServer, type RunningServer } from '../support/servers';
import { failureOf, TestTable, type Options } from '../support/test-table';
import { ADD_COLUMN, expectRefused, itRefuses, type BadInput } from '../support/test-table-refusal';

/** Options that TypeScript would not let through. */
const untyped = (options: object): Options => options;

const unknown = (what: string, options: object, hints: RegExp, says: RegExp): BadInput => ({
  ...{ what, code: 'LHM_UNKNOWN_OPTION', phase: 'plan', options: untyped(options), hints, says },
});

const bad = (what: string, options: object, says: RegExp, hints: RegExp): BadInput => ({
  ...{ what, code: 'LHM_BAD_OPTION', phase: 'plan', options: untyped(options), says, hints },
});

const UNKNOWN = [
  unknown('an option that is misspelt', { chunks: {} }, /Did you mean 'chunk'/, /'chunks'/),
  unknown('an option in the wrong case', { CutOver: {} }, /Did you mean 'cutOver'/, /'CutOver'/),
  unknown('an option like nothing there is', { zzzzzzzz: 1 }, /There are knex, /, /'zzzzzzzz'/),
  unknown('a nested option', { chunk: { row: 5 } }, /Did you mean 'rows'/, /'chunk\.row'/),
  unknown('a hook', { hooks: { beforeCutover: () => 1 } }, /Did you mean 'beforeCutOver'/, /hooks\.before/),
  unknown('what every object has', { toString: 1 }, /There are/, /'toString'/),
];

const WRONG = [
  bad('a number that is text', { chunk: { rows: '5' } }, /'chunk\.rows' is '5'/, /a whole number from 1/),
  bad('a number that is not whole', { chunk: { rows: 1.5 } }, /1\.5/, /whole number/),
  bad('NaN', { chunk: { targetMs: NaN } }, /NaN/, /whole number/),
  bad('a number out of range', { cutOver: { lockTimeoutMs: 50 } }, /50/, /from 1000/),
  bad('a group that is none', { chunk: 5 }, /'chunk' is 5/, /an object with rows/),
  bad('a group that is an array', { cutOver: [] }, /an array/, /an object with strategy/),
  bad('a hook that is none', { hooks: { beforeCutOver: 'now' } }, /'now'/, /a function/),
  bad('a choice that is none', { cutOver: { strategy: 'brave' } }, /'brave'/, /'sentry', 'two-step'/),
  bad(
    'a postponement that is a number',
    { cutOver: { postponeUntil: 5 } },
    /5/,
    /a string, a function or null/,
  ),
  bad('a kill that is a number', { cutOver: { killBlockers: 1 } }, /1/, /true or false/),
  bad('a window below 0', { idWindow: -1 }, /-1/, /from 0 to/),
  bad('a signal that is none', { signal: {} }, /'signal'/, /AbortSignal/),
  bad('values that are not text', { columns: { values: { size: 5 } } }, /columns\.values/, /strings/),
  bad('a value that is empty', { columns: { values: { size: '' } } }, /columns\.values/, /strings/),
  bad('text instead of true or false', { handleSignals: 'yes' }, /'handleSignals' is 'yes'/, /true or false/),
  bad('another word than ghost', { dryRun: 'yes' }, /'dryRun' is 'yes'/, /one of 'ghost'/),
  bad('an empty string', { triggers: { definer: '' } }, /'triggers\.definer' is ''/, /a string or null/),
  bad('a function that is no choice', { preset: () => 1 }, /'preset' is a function/, /'fixture'/),
  bad('a number instead of a function', { progress: 5 }, /'progress' is 5/, /'bar'.*or a function/),
  bad('true for a number', { chunk: { rows: true } }, /'chunk\.rows' is true/, /or false/),
  bad('a number for a group or a switch', { verify: 3 }, /'verify' is 3/, /true, false or an object/),
  bad('loads that are a number', { throttle: { maxLoad: 5 } }, /'throttle\.maxLoad' is 5/, /Threads_running/),
  bad('loads that are none', { throttle: { criticalLoad: {} } }, /criticalLoad/, /Threads_running: 50/),
  bad('a load below 0', { throttle: { maxLoad: { Threads_running: -1 } } }, /maxLoad/, /'auto', or false/),
  bad('a critical load by itself', { throttle: { criticalLoad: 'auto' } }, /is 'auto'/, /or false/),
  bad('no lag at all', { throttle: { maxLagMs: 0 } }, /'throttle\.maxLagMs' is 0/, /from 1 to .* or false/),
  bad('true for a flag file', { throttle: { flagFile: true } }, /flagFile/, /a string or false/),
  bad('a URL that is none', { throttle: { http: 'status.local/ok' } }, /'throttle\.http'/, /a URL/),
  bad('a replica by its name', { throttle: { replicas: ['db2'] } }, /throttle\.replicas/, /mysql:\/\/user/),
  bad('a source without check', { throttle: { sources: [{ name: 'mine' }] } }, /sources/, /a function check/),
  bad(
    'nicety below 0',
    { throttle: { niceRatio: -0.5 } },
    /'throttle\.niceRatio' is -0\.5/,
    /a number from 0/,
  ),
  bad('null', { chunk: null }, /'chunk' is null/, /an object/),
  bad('a least above the most', { chunk: { rowsMin: 9, rowsMax: 3 } }, /rowsMin.*9.*rowsMax.*3/, /rows/),
  {
    ...{ what: 'several bad options at once', code: 'LHM_BAD_OPTIONS', phase: 'plan' as const },
    options: untyped({ chunk: { row: 5, rows: -1 }, verify: 'no', nonsense: true }),
    problems: ['LHM_BAD_OPTION', 'LHM_BAD_OPTION', 'LHM_UNKNOWN_OPTION', 'LHM_UNKNOWN_OPTION'],
    says: /chunk\.row'[^]*chunk\.rows[^]*verify[^]*nonsense/,
  },
];

/** Values and renames can only be judged once the ALTER was made. */
const COLUMNS: BadInput[] = [
  {
    ...{ what: 'a value for an unknown column', code: 'LHM_BAD_VALUES', phase: 'clone' },
    ...{ options: { columns: { values: { nope: '1' } } }, says: /'nope'/, hints: /address/ },
  },
  {
    ...{ what: 'ctx.values for an unknown column', code: 'LHM_BAD_VALUES', phase: 'clone', says: /'nope'/ },
    alter: (t, ctx) => {
      t.integer('extra');
      ctx.values['nope'] = '1';
    },
  },
  ...[7, '  '].map((value): BadInput => ({
    ...{ what: `ctx.values of ${JSON.stringify(value)}`, code: 'LHM_BAD_VALUES', phase: 'clone' },
    ...{ says: /'extra' is not SQL/, hints: /an SQL expression/ },
    alter: (t, ctx) => {
      t.integer('extra');
      ctx.values['extra'] = value as string;
    },
  })),
  {
    ...{ what: 'a value for a column that was dropped', code: 'LHM_BAD_VALUES', phase: 'clone' },
    ...{ alter: 'DROP COLUMN note', options: { columns: { values: { note: "'x'" } } } },
  },
  {
    ...{ what: 'a value for a generated column', code: 'LHM_BAD_VALUES', phase: 'clone', says: /generated/ },
    ...{ alter: 'ADD COLUMN twice INT AS (size * 2)', options: { columns: { values: { twice: '1' } } } },
  },
  {
    ...{ what: 'a value that is a syntax error', code: 'LHM_BAD_VALUES', phase: 'clone', says: /syntax/ },
    options: { columns: { values: { extra: '1 +' } } },
  },
  {
    ...{ what: 'a value that names no column', code: 'LHM_BAD_VALUES', phase: 'clone', says: /nowhere/ },
    ...{ options: { columns: { values: { extra: 'nowhere + 1' } } }, hints: /old table/ },
  },
  {
    ...{ what: 'a value that calls no function', code: 'LHM_BAD_VALUES', phase: 'clone', says: /no_func/i },
    options: { columns: { values: { extra: 'NO_FUNC(size)' } } },
  },
  {
    ...{ what: 'a value that is two columns', code: 'LHM_BAD_VALUES', phase: 'clone' },
    options: { columns: { values: { extra: '1, 2' } } },
  },
  {
    ...{ what: 'a value that closes its parenthesis', code: 'LHM_BAD_VALUES', phase: 'clone' },
    options: { columns: { values: { extra: '1) FROM emails; --' } } },
  },
  {
    ...{ what: 'two values for one column', code: 'LHM_BAD_VALUES', phase: 'clone', says: /extra.*1.*2/ },
    alter: (t, ctx) => {
      t.integer('extra');
      ctx.values['extra'] = '2';
    },
    options: { columns: { values: { extra: '1' } } },
  },
  {
    ...{ what: 'a value for the key', code: 'LHM_NO_USABLE_KEY', phase: 'clone', says: /value of its own/ },
    options: { columns: { values: { id: 'id + 1' } } },
  },
  {
    ...{ what: 'a rename of an unknown column', code: 'LHM_BAD_RENAME', phase: 'clone', says: /'nope'/ },
    options: { columns: { renamed: { nope: 'extra' } } },
  },
  {
    ...{ what: 'a rename to an unknown column', code: 'LHM_BAD_RENAME', phase: 'clone', says: /'nope'/ },
    options: { columns: { renamed: { note: 'nope' } } },
  },
  {
    ...{ what: 'a rename against the ALTER', code: 'LHM_BAD_RENAME', phase: 'clone', says: /size.*bytes/ },
    alter: 'RENAME COLUMN size TO bytes, ADD COLUMN volume INT NOT NULL DEFAULT 0',
    options: { columns: { renamed: { size: 'volume' } } },
  },
  {
    ...{ what: 'a rename onto another', code: 'LHM_BAD_RENAME', phase: 'clone', says: /'size' becomes/ },
    ...{ alter: 'RENAME COLUMN size TO bytes, DROP COLUMN note' },
    options: { columns: { renamed: { note: 'bytes' } } },
  },
];

/** What a caller may have at hand instead of a Knex on mysql2. */
const NOT_KNEX: readonly [what: string, code: string, options: () => unknown][] = [
  ['no options', 'LHM_BAD_OPTION', () => undefined],
  ['options that are null', 'LHM_BAD_OPTION', () => null],
  ['no knex', 'LHM_BAD_OPTION', () => ({})],
  ['a knex that is null', 'LHM_BAD_OPTION', () => ({ knex: null })],
  ['a knex that is a string', 'LHM_BAD_OPTION', () => ({ knex: 'mysql://localhost' })],
  ['the factory of knex', 'LHM_BAD_OPTION', () => ({ knex: createKnex })],
  ['a function that is no knex', 'LHM_BAD_OPTION', () => ({ knex: () => 1 })],
  ['a knex on pg', 'LHM_UNSUPPORTED_CLIENT', () => ({ knex: createKnex({ client: 'pg' }) })],
  ['a knex on mysql', 'LHM_UNSUPPORTED_CLIENT', () => ({ knex: createKnex({ client: 'mysql' }) })],
  [
    'a knex whose connection says nothing',
    'LHM_UNSUPPORTED_CLIENT',
    () => ({ knex: createKnex({ client: 'mysql2', connection: () => ({}) }) }),
  ],
  ['a knex without connection', 'LHM_UNSUPPORTED_CLIENT', () => ({ knex: createKnex({ client: 'mysql2' }) })],
];

describe('refusals without a server', () => {
  for (const [what, code, options] of NOT_KNEX) {
    it(what, async () => {
      const error = await failureOf(largeHadronMigrate('emails', options() as { knex: never }, ADD_COLUMN));
      expect(error).to.include({ code, phase: 'plan', outcome: 'untouched', table: 'emails' });
      expect(error.leftovers).to.deep.equal([]);
      expect(error.hint).to.match(/knex/i);
    });
  }

  it('a server that does not answer', async () => {
    // Port 1 is nobody's: the connection is refused at once.
    const knex = createKnex({ client: 'mysql2', connection: { host: '127.0.0.1', port: 1, user: 'root' } });
    const error = await failureOf(largeHadronMigrate('emails', { knex }, ADD_COLUMN));
    expect(error).to.include({ code: 'LHM_CANNOT_CONNECT', phase: 'plan', outcome: 'untouched' });
    expect(error.message).to.contain('ECONNREFUSED');
    await knex.destroy();
  });
});

for (const { flavor, mode, on, every } of serversAndModes()) {
  describe(`refusals of options on ${on}`, function () {
    this.timeout(300_000);

    let server: RunningServer;

    before(async () => {
      server = await startServer(flavor, { mode });
    });

    after(() => server.stop());

    describe('that are unknown', () => itRefuses(flavor, () => server, every(4, UNKNOWN)));
    describe('that are wrong', () => itRefuses(flavor, () => server, every(4, WRONG)));
    describe('about columns', () => itRefuses(flavor, () => server, every(4, COLUMNS)));

    it('a transaction, with the line that helps', async () => {
      const test = await TestTable.create(server);
      const expected = {
        code: 'LHM_IN_TRANSACTION',
        phase: 'plan' as const,
        hints: /config = \{ transaction: false \}/,
      };
      await expectRefused(test, expected, () =>
        test.knex.transaction((trx) => test.failure(ADD_COLUMN, { knex: trx })),
      );
      await test.drop();
    });

    it('an account that the server does not let in', async () => {
      const test = await TestTable.create(server);
      const knex = test.makeKnex({}, { user: 'nobody_at_all', password: 'wrong' });
      await expectRefused(
        test,
        {
          code: 'LHM_CANNOT_CONNECT',
          phase: 'plan',
          hints: /password/,
          says: /Access denied.*nobody_at_all/,
        },
        () => test.failure(ADD_COLUMN, { knex }),
      );
      await test.drop();
    });

    it('a database that does not exist', async () => {
      const test = await TestTable.create(server);
      const knex = test.makeKnex({}, { database: 'lhm_nowhere' });
      await expectRefused(
        test,
        { code: 'LHM_CANNOT_CONNECT', phase: 'plan', hints: /database/, says: /lhm_nowhere/ },
        () => test.failure(ADD_COLUMN, { knex }),
      );
      await test.drop();
    });

    it('a signal that is aborted already', async () => {
      const test = await TestTable.create(server);
      await expectRefused(test, { code: 'LHM_INTERRUPTED', phase: 'plan' }, () =>
        test.failure(ADD_COLUMN, { signal: AbortSignal.abort() }),
      );
      await test.drop();
    });

    for (const [option, only] of [
      [{ strategy: 'rename-under-lock' }, 'mariadb'],
      [{ oldReadViews: 'error' }, 'mariadb'],
    ] as const) {
      if (flavor !== only) continue;
      it(`cutOver ${JSON.stringify(option)}, which the server cannot do`, async () => {
        const test = await TestTable.create(server);
        await expectRefused(
          test,
          { code: 'LHM_UNSUPPORTED_OPTION', says: /MariaDB/, hints: /Leave it out/ },
          () => test.failure(ADD_COLUMN, { cutOver: option }),
        );
        await test.drop();
      });
    }
  });
}
