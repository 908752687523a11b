import { expect } from 'chai';
import { highestId, withWindow } from '../../lib/schema/id-window';
import type { TableSchema } from '../../lib/schema/table-schema';

function table(columnType: string): Pick<TableSchema, 'columns'> {
  const dataType = columnType.split(/[ (]/)[0];
  return {
    columns: [{ name: 'id', dataType, columnType, extra: 'auto_increment' }],
  } as unknown as TableSchema;
}

describe('the window of ids', () => {
  for (const [type, highest] of [
    ['tinyint(4)', 127n],
    ['smallint unsigned', 65_535n],
    ['mediumint', 8_388_607n],
    ['int', 2_147_483_647n],
    ['int unsigned', 4_294_967_295n],
    ['bigint(20) unsigned', 18_446_744_073_709_551_615n],
  ] as const) {
    it(`ends with ${type} at ${highest}`, () => {
      expect(highestId(table(type))).to.equal(highest);
      expect(withWindow(1n, table(type), 100)).to.equal(101n);
      expect(withWindow(highest - 99n, table(type), 99)).to.equal(highest);
      expect(withWindow(highest - 99n, table(type), 100)).to.equal(highest - 99n);
    });
  }
});
