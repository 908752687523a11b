import { expect } from 'chai';
import { possibleLeftovers } from '../../lib/migration/possible-leftovers';
import { derivedNames, timestampOf } from '../../lib/schema/derived-names';

const NAMES = derivedNames('emails', timestampOf(new Date('2026-01-02T03:04:05.678Z')));

describe('what may be left where the server cannot be asked', () => {
  const named = (outcome: 'unknown' | 'swapped' | 'rolled-back'): string[] =>
    possibleLeftovers('app', NAMES, outcome).map(({ name }) => name);

  it('names the triggers, the helpers and the new table, the state table last', () => {
    expect(named('unknown')).to.include.members(['app.emails_lhmn', 'app.emails_lhmi']);
    expect(named('unknown').at(-1)).to.equal('app.emails_lhms');
  });

  it('names no new table once the tables are swapped, and all the rest', () => {
    expect(named('swapped')).to.deep.equal(named('unknown').filter((name) => name !== 'app.emails_lhmn'));
  });

  it('names nothing that captures changes before any are captured', () => {
    const { recheck } = NAMES;
    expect(named('rolled-back')).to.deep.equal([`app.${recheck}`, 'app.emails_lhmn', 'app.emails_lhms']);
  });

  it('removes nothing but what is there', () => {
    for (const { sql } of possibleLeftovers('app', NAMES, 'unknown')) expect(sql).to.contain(' IF EXISTS ');
  });
});
