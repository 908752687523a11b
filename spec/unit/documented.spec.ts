import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { COMMANDS } from '../../lib/control/commands';
import { EVENT_NAMES } from '../../lib/events/event-map';
import { SCRIPTS } from '../../lib/migration/hook-names';

function doc(name: string): string {
  return readFileSync(join(__dirname, '../../docs', name), 'utf8');
}

describe('what is documented', () => {
  it('every hook, with its executable', () => {
    for (const [name, suffix] of Object.entries(SCRIPTS))
      expect(doc('hooks.md')).to.contain(`| \`${name}\` | \`lhm-${suffix}\` |`);
  });

  it('every event, and no other', () => {
    const events = doc('hooks.md').split('## Events')[1]!;
    const named = [...events.matchAll(/^\| (`[^|]+`) \|/gm)].flatMap((row) => row[1]!.match(/\w+/g)!);
    expect(named.sort()).to.deep.equal([...EVENT_NAMES].sort());
  });

  it('every command of the control server, by all of its names', () => {
    for (const [name, { also = [] }] of Object.entries(COMMANDS))
      for (const one of [name, ...also])
        expect(doc('operating.md'), one).to.match(new RegExp(`\\|.*\`${one}(\\[?=.*)?\`.*\\|`));
  });
});
