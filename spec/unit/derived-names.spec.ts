import { expect } from 'chai';
import fc from 'fast-check';
import { derivedNames, sortAfter, timestampOf } from '../../lib/schema/derived-names';

const STAMP = timestampOf(new Date('2026-01-02T03:04:05.678Z'));

function all(table: string): string[] {
  const { triggers, gates, ...names } = derivedNames(table, STAMP);
  return [...Object.values(names), ...Object.values(triggers), ...Object.values(gates)];
}

describe('derived names', () => {
  it('keep the letters of 2011 as suffixes', () => {
    expect(derivedNames('emails', STAMP)).to.deep.include({
      ghost: 'emails_lhmn',
      old: 'emails_lhmo_20260102030405678',
      journal: 'emails_lhmj_20260102030405678',
    });
  });

  it('are all different, fit in 64 characters and sort after every ASCII name, byte by byte', () => {
    const name = fc.string({
      unit: fc.constantFrom(...Array.from('abzAZ09_$')),
      minLength: 1,
      maxLength: 64,
    });
    fc.assert(
      fc.property(name, (table) => {
        const names = all(table);
        expect(new Set(names).size).to.equal(names.length);
        for (const derived of names) expect(Array.from(derived).length).to.be.at.most(64);
        expect(sortAfter(table, names)).to.equal(true);
      }),
    );
  });

  it('of two long names that begin alike do not collide', () => {
    const long = 'a'.repeat(60);
    expect(derivedNames(long + 'bbbb', STAMP).ghost).not.to.equal(derivedNames(long + 'cccc', STAMP).ghost);
  });

  it('that had to be cut may sort before a name beyond ASCII, which is noticed', () => {
    const table = 'é'.repeat(64);
    expect(sortAfter(table, [derivedNames(table, STAMP).ghost])).to.equal(false);
  });

  it('sortAfter compares bytes, not characters', () => {
    expect(sortAfter('b', ['a_lhmn'])).to.equal(false);
    expect(sortAfter('Z', ['a'])).to.equal(true);
    expect(sortAfter('a', ['a'])).to.equal(false);
  });
});
