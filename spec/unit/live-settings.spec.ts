import { expect } from 'chai';
import createKnex from 'knex';

import { Refusal } from '../../lib/errors';
import { LiveSettings } from '../../lib/options/live-settings';
import { resolveOptions } from '../../lib/options/resolve-options';

describe('settings that change while a migration runs', () => {
  const knex = createKnex({ client: 'mysql2', connection: { host: '127.0.0.1' } });
  const settings = (throttle = {}, chunk = {}): LiveSettings =>
    new LiveSettings(resolveOptions({ knex, throttle, chunk }, {}));

  const valueOf = (of: LiveSettings, name: string): string | undefined =>
    of.describe().find((setting) => setting.name === name)?.value;

  it('begin as the options say', () => {
    const begun = settings({ maxLagMs: 700, criticalLoad: { Threads_running: 9 } }, { rows: 5 });
    expect(begun.chunk).to.include({ rows: 5, targetMs: 500, pauseMs: 0 });
    expect(begun.throttle).to.include({ maxLagMs: 700, maxLoad: 'auto', niceRatio: 0, query: false });
    expect(begun.describe().map(({ name, value, unit }) => `${name}=${value} ${unit}`)).to.deep.equal([
      'chunk.rows=5 rows',
      'chunk.targetMs=500 ms',
      'chunk.pauseMs=0 ms',
      'binlog.batchRows=1000 rows',
      'throttle.maxLoad=auto status variables',
      'throttle.criticalLoad=Threads_running=9 status variables',
      'throttle.criticalLoadIntervalMs=off ms',
      'throttle.criticalLoadHibernateMs=off ms',
      'throttle.maxHistoryLength=auto undo log records',
      'throttle.maxChunkMs=5000 ms',
      'throttle.replicas=off URLs',
      'throttle.maxLagMs=1500 ms'.replace('1500', '700'),
      'throttle.niceRatio=0 times',
      'throttle.query=off SQL',
      'throttle.http=off URL',
    ]);
  });

  for (const [name, text, value] of [
    ['chunk.rows', '500', 500],
    ['chunk.rows', 'off', false],
    ['chunk.targetMs', ' 100 ', 100],
    ['chunk.pauseMs', '0', 0],
    ['binlog.batchRows', '10', 10],
    ['throttle.maxLagMs', '2500', 2500],
    ['throttle.maxLagMs', 'false', false],
    ['throttle.maxLoad', 'auto', 'auto'],
    [
      'throttle.maxLoad',
      'Threads_running=50, Threads_connected=500',
      { Threads_running: 50, Threads_connected: 500 },
    ],
    ['throttle.criticalLoad', 'off', false],
    ['throttle.criticalLoadHibernateMs', '60000', 60_000],
    ['throttle.maxHistoryLength', '1000000', 1_000_000],
    ['throttle.maxChunkMs', 'off', false],
    ['throttle.niceRatio', '0.5', 0.5],
    ['throttle.query', 'SELECT 0', 'SELECT 0'],
    ['throttle.query', '', false],
    ['throttle.http', 'https://example.org/ok', 'https://example.org/ok'],
    [
      'throttle.replicas',
      'mysql://u:p@db1:3306,mysql://u:p@db2',
      ['mysql://u:p@db1:3306', 'mysql://u:p@db2'],
    ],
  ] as const) {
    it(`${name} takes '${text}'`, () => {
      const changed = settings();
      let told = 0;
      changed.listen(() => told++);
      changed.set(name, text);
      const [group, key] = name.split('.') as ['chunk' | 'throttle', string];
      expect((changed[group] as unknown as Record<string, unknown>)[key]).to.deep.equal(value);
      expect(told).to.equal(1);
    });
  }

  for (const [name, text, code, says] of [
    ['chunk.rows', '0', 'LHM_BAD_OPTION', /'chunk\.rows' is 0/],
    ['chunk.rows', '5.5', 'LHM_BAD_OPTION', /is 5\.5/],
    ['chunk.targetMs', 'fast', 'LHM_BAD_OPTION', /is 'fast'/],
    ['chunk.targetMs', 'off', 'LHM_BAD_OPTION', /is 'off'/],
    ['binlog.batchRows', '0', 'LHM_BAD_OPTION', /'binlog\.batchRows' is 0/],
    ['chunk.pauseMs', '', 'LHM_BAD_OPTION', /is ''/],
    ['throttle.maxLagMs', ' ', 'LHM_BAD_OPTION', /is ''/],
    ['throttle.maxLagMs', '-1', 'LHM_BAD_OPTION', /is -1/],
    ['throttle.maxLoad', 'Threads_running', 'LHM_BAD_OPTION', /is 'Threads_running'/],
    ['throttle.criticalLoad', 'auto', 'LHM_BAD_OPTION', /is 'auto'/],
    ['throttle.niceRatio', '101', 'LHM_BAD_OPTION', /is 101/],
    ['throttle.http', 'ftp://example.org', 'LHM_BAD_OPTION', /is 'ftp/],
    [
      'throttle.replicas',
      'db1',
      'LHM_BAD_OPTION',
      /an array whose entry 1 is a string that is no such URL\./,
    ],
    [
      'throttle.replicas',
      'mysql://u@db1,mysql:s3cret@db2',
      'LHM_BAD_OPTION',
      /^(?!.*s3cret).*entry 2 is a string/,
    ],
    ['throttle.maxLag', '5', 'LHM_UNKNOWN_OPTION', /no setting 'throttle\.maxLag'/],
    ['toString', '5', 'LHM_UNKNOWN_OPTION', /no setting/],
    ['throttle.flagFile', 'x', 'LHM_UNKNOWN_OPTION', /no setting/],
  ] as const) {
    it(`${name} does not take '${text}', and nothing changes`, () => {
      const changed = settings();
      const before = changed.describe();
      let told = 0;
      changed.listen(() => told++);
      expect(() => changed.set(name, text))
        .to.throw(Refusal, says)
        .with.property('code', code);
      expect(changed.describe()).to.deep.equal(before);
      expect(told).to.equal(0);
    });
  }

  it('names the setting that may have been meant', () => {
    expect(() => settings().set('throttle.maxLagMsec', '5'))
      .to.throw(Refusal)
      .with.property('hint', "Did you mean 'throttle.maxLagMs'?");
  });

  it('hides passwords, and keeps replicas given as a Knex', () => {
    const changed = settings({ replicas: [knex, 'mysql://u:secret@db1'] });
    expect(valueOf(changed, 'throttle.replicas')).to.equal('(a Knex),mysql://u:***@db1');
    changed.set('throttle.replicas', 'mysql://u:secret@db2:3307');
    expect(changed.throttle.replicas).to.deep.equal([knex, 'mysql://u:secret@db2:3307']);
    changed.set('throttle.replicas', 'off');
    expect(changed.throttle.replicas).to.deep.equal([knex]);
  });
});
