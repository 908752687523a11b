import { expect } from 'chai';

import type { Value } from '../../lib/binlog/binlog-events';
import { BinlogFixture, rowsOf } from '../support/binlog/fixture';
import { kindsOf, type Kind } from '../support/binlog/kinds';
import { availableFlavors } from '../support/servers';

const STRICT = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO';

for (const flavor of availableFlavors()) {
  describe(`every type of column, out of the binary log of ${flavor}`, function () {
    this.timeout(300_000);
    let fixture: BinlogFixture;
    const values = new Map<string, Value[]>();

    before(async () => {
      fixture = await BinlogFixture.start(flavor);
      const kinds = kindsOf(flavor);
      await fixture.query("SET time_zone = '+03:00', sql_mode = ''");
      for (const { name, type } of kinds) {
        await fixture.query(`CREATE TABLE k_${name} (id INT NOT NULL PRIMARY KEY, v ${type})`);
      }
      const tables = await Promise.all(kinds.map(({ name }) => fixture.table(`k_${name}`)));
      const stream = await fixture.stream(tables, await fixture.position());
      for (const kind of kinds) {
        await fixture.query(`SET sql_mode = '${kind.lax === true ? '' : STRICT}'`);
        const rows = [...kind.values, 'NULL'].map((value, index) => `(${index}, ${value})`);
        await fixture.query(`INSERT INTO k_${kind.name} VALUES ${rows.join(', ')}`);
        await fixture.query(`UPDATE k_${kind.name} SET id = id + 1000`);
      }
      const events = await fixture.upTo(stream, await fixture.mark());
      stream.close();
      for (const { name } of kinds) {
        const changes = rowsOf(events, `k_${name}`).flatMap(({ rows }) => rows);
        const inserted = changes.filter(({ before }) => before === undefined).map(({ after }) => after?.[1]);
        const updated = changes.filter(({ before }) => before !== undefined);
        // The same value is the same text in whichever image.
        expect(updated.map(({ before }) => before?.[1])).to.deep.equal(inserted);
        expect(updated.map(({ after }) => after?.[1])).to.deep.equal(inserted);
        values.set(name, inserted);
      }
    });

    after(() => fixture.end());

    for (const kind of kindsOf(flavor)) {
      it(`${kind.name}: ${kind.type}`.slice(0, 70), () => comesBack(kind));
    }

    async function comesBack({ name, values: given, same = 'HEX(v)', lax }: Kind): Promise<void> {
      const literals = values.get(name) ?? [];
      expect(literals).to.have.length(given.length + 1);
      expect(literals.at(-1)).to.equal(null);
      expect(new Set(literals).size, 'different values').to.be.at.most(given.length + 1);
      await fixture.query(`SET time_zone = '+00:00', sql_mode = '${lax === true ? '' : STRICT}'`);
      await fixture.query(`CREATE TABLE c_${name} LIKE k_${name}`);
      const rows = literals.map((literal, index) => `(${index + 1000}, ${literal ?? 'NULL'})`);
      await fixture.query(`INSERT INTO c_${name} VALUES ${rows.join(', ')}`);
      const of = (table: string): string => same.replaceAll(/\bv\b/g, `${table}.v`);
      const compared = await fixture.query(
        `SELECT ${of('k')} AS expected, ${of('c')} AS got FROM k_${name} k LEFT JOIN c_${name} c USING (id) ORDER BY id`,
      );
      expect(compared).to.have.length(given.length + 1);
      for (const { expected, got } of compared) expect(got).to.deep.equal(expected);
    }
  });
}
