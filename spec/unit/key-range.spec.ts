import { expect } from 'chai';
import { afterCondition, keyListCondition, rangeCondition, upToCondition } from '../../lib/chunk/key-range';
import { keyColumn, KeyColumns } from '../../lib/schema/key-column';
import type { Column } from '../../lib/schema/table-schema';

function column(name: string, dataType: string, charset: string | null = null): Column {
  return {
    ...{ name, dataType, charset, columnType: dataType, collation: null, nullable: false },
    ...{ generated: false, default: null, extra: '' },
  };
}

function keys(...columns: Column[]): KeyColumns {
  return new KeyColumns(columns.map((c) => keyColumn(c)!));
}

describe('key ranges', () => {
  it('of one column', () => {
    const id = keys(column('id', 'bigint'));
    expect(rangeCondition(id, '`t`', { after: ['5'], upTo: ['18446744073709551615'] })).to.equal(
      '(`t`.`id` > 5) AND (`t`.`id` <= 18446744073709551615)',
    );
    expect(rangeCondition(id, '`t`', { after: null, upTo: null })).to.equal('TRUE');
  });

  it('of a number are without the zeros it is shown with, which another width would not have', () => {
    const wide = keys({ ...column('id', 'int'), columnType: 'int(8) unsigned zerofill' });
    expect(wide.select('t')).to.equal('CAST(t.`id` + 0 AS CHAR) AS hadron_k0');
  });

  it('of several columns are written out, because a row comparison would be a full scan', () => {
    const composite = keys(column('a', 'int'), column('b', 'int'), column('c', 'int'));
    expect(afterCondition(composite, 't', ['1', '2', '3'])).to.equal(
      '(t.`a` > 1 OR (t.`a` = 1 AND (t.`b` > 2 OR (t.`b` = 2 AND (t.`c` > 3)))))',
    );
    expect(upToCondition(composite, 't', ['1', '2', '3'])).to.equal(
      '(t.`a` < 1 OR (t.`a` = 1 AND (t.`b` < 2 OR (t.`b` = 2 AND (t.`c` <= 3)))))',
    );
  });

  it('agree with comparing tuples', () => {
    const evaluate = (sql: string, row: Record<string, number>): boolean =>
      // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- SQL read as JavaScript
      new Function(
        'a',
        'b',
        'c',
        `return ${sql
          .replace(/t\.`(\w)`/g, '$1')
          .replaceAll(' = ', ' === ')
          .replaceAll('AND', '&&')
          .replaceAll('OR', '||')}`,
      )(row['a'], row['b'], row['c']) as boolean;
    const values = [0, 1, 2];
    const tuples = values.flatMap((a) => values.flatMap((b) => values.map((c) => ({ a, b, c }))));
    for (const signs of [
      [1, 1, 1],
      [1, -1, 1],
      [-1, -1, -1],
    ]) {
      const [p = 1, q = 1, r = 1] = signs;
      const composite = new KeyColumns(
        ['a', 'b', 'c'].map((name, i) => keyColumn(column(name, 'int'), signs[i] === -1)!),
      );
      const order = ({ a, b, c }: { a: number; b: number; c: number }): number =>
        p * a * 9 + q * b * 3 + r * c;
      for (const bound of tuples) {
        const key = [bound.a, bound.b, bound.c].map(String);
        for (const row of tuples) {
          expect(evaluate(afterCondition(composite, 't', key), row)).to.equal(order(row) > order(bound));
          expect(evaluate(upToCondition(composite, 't', key), row)).to.equal(order(row) <= order(bound));
        }
      }
    }
  });

  it('follow the index, and go against it', () => {
    const composite = new KeyColumns([keyColumn(column('a', 'int'))!, keyColumn(column('b', 'int'), true)!]);
    expect(composite.order('t')).to.equal('t.`a`, t.`b` DESC');
    expect(composite.order('t', true)).to.equal('t.`a` DESC, t.`b`');
  });

  it('of an ENUM list its members, of which an index makes ranges', () => {
    const type = { ...column('e', 'enum'), columnType: "enum('a','b''c,','d')" };
    expect(rangeCondition(keys(type), 't', { after: ['1'], upTo: ['3'] })).to.equal(
      '(t.`e` IN (2, 3)) AND (t.`e` IN (0, 1, 2, 3))',
    );
    expect(afterCondition(keys(type), 't', ['3'])).to.equal('(FALSE)');
    const descending = new KeyColumns([keyColumn(type, true)!]);
    expect(afterCondition(descending, 't', ['0'])).to.equal('(FALSE)');
    expect(upToCondition(descending, 't', ['2'])).to.equal('(t.`e` IN (2, 3))');
  });

  it('keep signed and unsigned numbers apart', () => {
    const id = keys(column('id', 'bigint'));
    expect(keyListCondition(id, 't', [['9223372036854775808'], ['9223372036854775807'], ['-1']])).to.equal(
      '(t.`id` IN (9223372036854775807, -1) OR t.`id` IN (9223372036854775808))',
    );
  });

  it('carry text by its bytes in its own character set', () => {
    const name = keys(column('name', 'varchar', 'latin1'));
    expect(keyListCondition(name, 't', [['E9'], ['']])).to.equal("t.`name` IN (_latin1 X'E9', _latin1 X'')");
  });

  it('list composite keys by their columns', () => {
    const composite = keys(column('a', 'int'), column('b', 'binary'));
    expect(keyListCondition(composite, 't', [['1', '00FF']])).to.equal("((t.`a` = 1 AND t.`b` = X'00FF'))");
  });

  it('are refused for types without an exact order', () => {
    for (const type of ['float', 'double', 'json', 'set', 'geometry', 'vector']) {
      expect(keyColumn(column('x', type))).to.equal(null);
    }
  });
});
