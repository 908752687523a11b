import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { commandNamed } from '../../lib/control/commands';
import { SCRIPTS } from '../../lib/migration/hook-names';
import { allFields } from '../../lib/options/fields';
import { FIELDS } from '../../lib/options/option-fields';

const page = readFileSync(resolve(__dirname, '../../docs/from-gh-ost.md'), 'utf8');

/** What the page says of things here: the second column of its tables, and later ones. */
const ours = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(2)
      .join('|'),
  );

/** Options and groups of them. */
function isOption(path: string): boolean {
  return path in FIELDS || allFields(FIELDS).some((one) => one.path === path);
}

describe('the page for those who come from gh-ost', () => {
  it('names only options that there are', () => {
    const groups = new RegExp(`\`((?:${Object.keys(FIELDS).join('|')})(?:\\.\\w+)*)(?=[\`:])`, 'g');
    const named = ours.flatMap((text) => [...text.matchAll(groups)].map(([, path]) => path!));
    expect(named).to.have.length.above(50);
    expect(named.filter((path) => !isOption(path))).to.deep.equal([]);
  });

  it('names every hook, and only commands that there are', () => {
    for (const script of Object.values(SCRIPTS).filter((name) => name !== 'on-after-cut-over'))
      expect(page).to.contain(`\`lhm-${script}\``);
    const commands = /## gh-ost: commands\n([^#]*)/.exec(page)![1]!;
    const named = [...commands.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name!).filter((n) => n !== 'lhm');
    expect(named).to.have.length.above(25);
    expect(named.filter((name) => commandNamed(name) === null)).to.deep.equal([]);
  });
});
