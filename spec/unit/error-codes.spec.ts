import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { ERROR_CODES } from '../../lib/errors';

const ROOT = resolve(__dirname, '../..');
const CODE = /\bLHM_[A-Z][A-Z_]*[A-Z]\b/g;

/** What begins with the same letters, but is an environment variable. */
const VARIABLES = new Set([
  'LHM_CACHE',
  'LHM_DATABASE_NAME',
  'LHM_TABLE_NAME',
  'LHM_GHOST_TABLE_NAME',
  'LHM_OLD_TABLE_NAME',
  'LHM_DDL',
  'LHM_PHASE',
  'LHM_ELAPSED_SECONDS',
  'LHM_COPIED_ROWS',
  'LHM_ESTIMATED_ROWS',
  'LHM_PROGRESS',
  'LHM_ETA_SECONDS',
  'LHM_APPLIED_CHANGES',
  'LHM_BACKLOG',
  'LHM_THROTTLED',
  'LHM_STATUS',
  'LHM_HOOKS_HINT',
  'LHM_COMMAND',
  'LHM_ATTEMPT',
  'LHM_ERROR',
  'LHM_ERROR_CODE',
  'LHM_OUTCOME',
  'LHM_SOCKET_DIRECTORY',
  'LHM_LEDGER_RUNS',
  'LHM_MODES',
  'LHM_MARIADB_URL',
  'LHM_MYSQL_URL',
  'LHM_SERVERS',
  'LHM_URL',
]);

function texts(folder: string): { path: string; text: string }[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return texts(path);
    return /\.(ts|js|mjs|cjs|md)$/.test(path) ? [{ path, text: readFileSync(join(ROOT, path), 'utf8') }] : [];
  });
}

function codesIn(text: string): string[] {
  return [...new Set(text.match(CODE) ?? [])].filter((code) => !VARIABLES.has(code)).sort();
}

describe('error codes', () => {
  const page = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8');
  const lib = texts('lib').filter(({ path }) => path !== join('lib', 'errors.ts'));

  it('are listed once each, in order', () => {
    expect([...ERROR_CODES]).to.deep.equal([...new Set(ERROR_CODES)].sort());
  });

  it('are all raised somewhere, and none that is not listed', () => {
    const raised = codesIn(
      [
        ...lib.map(({ text }) => text),
        readFileSync(join(ROOT, 'lib/errors.ts'), 'utf8').split('export type ErrorCode')[1],
      ].join(),
    );
    expect(raised).to.deep.equal([...ERROR_CODES]);
  });

  it('have a row each in docs/errors.md, with what to do, and there are no others', () => {
    const rows = page.split('\n').filter((line) => /^\| `LHM_/.test(line));
    expect(rows.map((row) => codesIn(row)[0]).sort()).to.deep.equal([...ERROR_CODES]);
    for (const row of rows) {
      const cells = row
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim());
      expect(cells, row).to.have.length(4);
      for (const cell of cells) expect(cell, row).not.to.equal('');
      expect(cells[2], row).to.match(/untouched|rolled-back|swapped|unknown/);
    }
  });

  it('are each checked by a spec', () => {
    const own = join('spec', 'unit', 'error-codes.spec.ts');
    const specs = texts('spec').filter(({ path }) => /\.(spec\.ts|test\.js)$/.test(path) && path !== own);
    const checked = new Set(codesIn(specs.map(({ text }) => text).join('\n')));
    expect(ERROR_CODES.filter((code) => !checked.has(code))).to.deep.equal([]);
  });

  it('that the documents name exist', () => {
    const documents = [
      { path: 'README.md', text: readFileSync(join(ROOT, 'README.md'), 'utf8') },
      ...texts('docs'),
    ];
    const specs = texts('spec').map(({ text }) => text);
    // Variables of the environment that the specs read are called alike.
    const variables = [...specs.join('\n').matchAll(/env\['(LHM_\w+)'\]/g)].map(([, name]) => name!);
    const known = new Set<string>([...ERROR_CODES, ...variables]);
    const wrong = documents.flatMap(({ path, text }) =>
      codesIn(text).flatMap((code) => (known.has(code) ? [] : [`${path}: ${code}`])),
    );
    expect(wrong).to.deep.equal([]);
  });
});
