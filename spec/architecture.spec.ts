import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const LIB = resolve(__dirname, '../lib');

/** Who may import whom: a folder only what stands in a lower row. Type imports are free. */
const LAYERS: readonly (readonly string[])[] = [
  ['errors', 'phase', 'util'],
  ['events'],
  ['database'],
  ['binlog'],
  ['options', 'replication'],
  ['schema'],
  ['chunk'],
  ['state', 'ghost', 'changes', 'progress', 'preflight'],
  ['guard', 'copy', 'verify', 'table-triggers', 'throttle'],
  ['cut-over'],
  ['foreign-keys'],
  ['plan', 'migration'],
  ['plan-large-hadron-migration', 'large-hadron-clean-up', 'control'],
  ['large-hadron-migrate'],
  ['index', 'cli'],
];

/** Within one row, and where a feature builds on another's plain SQL. */
const ALSO: readonly (readonly [string, string])[] = [['ghost', 'changes']];

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

function roomOf(file: string): string {
  return relative(LIB, file).split('/')[0]!.replace(/\.ts$/, '');
}

function layerOf(room: string): number {
  const layer = LAYERS.findIndex((rooms) => rooms.includes(room));
  expect(layer, `lib/${room} has no place in the architecture`).to.be.at.least(0);
  return layer;
}

describe('architecture', () => {
  it('imports run only downwards', () => {
    const wrong: string[] = [];
    for (const file of files(LIB)) {
      const room = roomOf(file);
      for (const [, type, path] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export) (type )?[^;]*?from '(\.[^']+)'/gms,
      )) {
        if (type !== undefined) continue;
        const target = roomOf(resolve(dirname(file), path!));
        if (target === room || ALSO.some(([from, to]) => from === room && to === target)) continue;
        if (layerOf(target) >= layerOf(room)) wrong.push(`${relative(LIB, file)} imports ${path!}`);
      }
    }
    expect(wrong).to.deep.equal([]);
  });

  it('only the composition root knows the mode, and what must be there for each', () => {
    const wrong = files(LIB)
      .filter(
        (file) =>
          !/(assemble|resolve-options|preflight\/checks\/(binlog|privileges|replicated-writes))\.ts$/.test(
            file,
          ),
      )
      .filter((file) => /\bmode\s*[!=]==/.test(readFileSync(file, 'utf8')));
    expect(wrong).to.deep.equal([]);
  });

  it('only one file knows Knex internals, and only the database folder the driver', () => {
    const drivers = files(LIB).filter((file) => /from 'mysql2'/.test(readFileSync(file, 'utf8')));
    expect(drivers.map((file) => relative(LIB, file)).sort()).to.deep.equal([
      'database/knex-connection.ts',
      'database/mysql-session.ts',
      'ghost/alter-failed.ts',
    ]);
  });

  it('only one file asks for time, which fake timers must not stop', () => {
    const time =
      /(?<!clock\.)\b(?:setTimeout|setInterval|setImmediate)\(|\bDate\.now|new Date\(\)|\bperformance\.now|node:timers/;
    const wrong = files(LIB).filter((file) => time.test(readFileSync(file, 'utf8')));
    expect(wrong.map((file) => relative(LIB, file))).to.deep.equal(['util/clock.ts']);
  });

  it('files are small', () => {
    const large = files(LIB).filter((file) => readFileSync(file, 'utf8').split('\n').length > 320);
    expect(large.map((file) => relative(LIB, file))).to.deep.equal([]);
  });
});
