import { expect } from 'chai';
import { possibleLeftovers } from '../../lib/migration/possible-leftovers';
import { derivedNames, timestampOf } from '../../lib/schema/derived-names';

const NAMES = derivedNames('emails', timestampOf(new Date('2026-01-02T03:04:05.678Z')));

describe('what may be left where the server cannot be asked', () => {
  const named = (swapped: boolean): string[] =>
    possibleLeftovers('app', NAMES, swapped).map(({ name }) => name);

  it('names the triggers, the helpers and the new table, the state table last', () => {
    expect(named(false)).to.include.members(['app.emails_lhmn', 'app.emails_lhmi']);
    expect(named(false).at(-1)).to.equal('app.emails_lhms');
  });

  it('names no new table once the tables are swapped, and all the rest', () => {
    expect(named(true)).to.deep.equal(named(false).filter((name) => name !== 'app.emails_lhmn'));
  });

  it('removes nothing but what is there', () => {
    for (const { sql } of possibleLeftovers('app', NAMES, false)) expect(sql).to.contain(' IF EXISTS ');
  });
});
