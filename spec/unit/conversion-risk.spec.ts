import { expect } from 'chai';

import { conversionRisk } from '../../lib/plan/conversion-risk';
import type { Column } from '../../lib/schema/table-schema';

/** `type` or `type charset`. */
function column(described: string): Column {
  const [, columnType = '', charset = null] =
    /^(.*?)(?: (latin1|utf8mb3|utf8mb4|ascii))?$/.exec(described) ?? [];
  return {
    ...{ name: 'c', columnType, dataType: /^\w+/.exec(columnType)?.[0] ?? '', charset },
    ...{
      collation: charset && `${charset}_bin`,
      nullable: false,
      generated: false,
      default: null,
      extra: '',
    },
  };
}

const RISKS: readonly (readonly [from: string, to: string, fits: boolean, says?: RegExp])[] = [
  ['int', 'bigint', true],
  ['bigint', 'int', false, /2147483647/],
  ['int', 'int unsigned', false, /below 0/],
  ['int unsigned', 'bigint', true],
  ['int unsigned', 'int', false],
  ['bigint unsigned', 'bigint', false, /9223372036854775807/],
  ['tinyint(1)', 'int(11)', true],
  ['decimal(10,2)', 'decimal(12,2)', true],
  ['decimal(10,2)', 'decimal(10,4)', false, /6 digits/],
  ['decimal(10,2)', 'decimal(10,1)', false, /more than 1 digits/],
  ['decimal(9,0)', 'int', true],
  ['decimal(10,0)', 'int', false, /9 digits/],
  ['decimal(10,2)', 'bigint', false],
  ['int', 'decimal(10,0)', true],
  ['int', 'decimal(9,0)', false],
  ['decimal(5,0)', 'decimal(5,0) unsigned', false, /negative/],
  ['float', 'double', true],
  ['double', 'float', false],
  ['double', 'decimal(10,2)', false],
  ['float', 'varchar(20) utf8mb4', false],
  ["enum('a','b') utf8mb4", "enum('b','a','c') utf8mb4", true],
  ["enum('a','b') utf8mb4", "enum('a') utf8mb4", false, /'b'/],
  ["set('a','b') utf8mb4", "set('b','a') utf8mb4", true],
  ["set('a','b') utf8mb4", "enum('a','b') utf8mb4", false, /combination/],
  ["enum('it''s') utf8mb4", "enum('it''s','x') utf8mb4", true],
  ['date', 'datetime', true],
  ['datetime', 'date', false, /time of day/],
  ['datetime(6)', 'datetime', false, /fractions of a second/],
  ['datetime', 'datetime(3)', true],
  ['datetime', 'timestamp', false, /1970/],
  ['timestamp', 'datetime', true],
  ['time', 'date', false],
  ['varchar(50) utf8mb4', 'varchar(100) utf8mb4', true],
  ['varchar(50) utf8mb4', 'varchar(20) utf8mb4', false, /20 characters/],
  ['varchar(50) latin1', 'varchar(50) utf8mb4', true],
  ['varchar(50) utf8mb4', 'varchar(50) latin1', false, /latin1/],
  ['varchar(50) ascii', 'varchar(50) latin1', true],
  ['varchar(50) utf8mb3', 'varchar(50) utf8mb4', true],
  ['varchar(50) utf8mb4', 'varchar(50) utf8mb3', false],
  ['varchar(50) utf8mb4', 'text utf8mb4', true],
  ['varchar(300) utf8mb4', 'tinytext utf8mb4', false, /255 bytes/],
  ['varchar(60) utf8mb4', 'tinytext utf8mb4', true],
  ['text utf8mb4', 'varchar(100) utf8mb4', false, /100 characters/],
  ['mediumtext utf8mb4', 'text utf8mb4', false, /65535 bytes/],
  ['text utf8mb4', 'mediumtext utf8mb4', true],
  ['varchar(20) utf8mb4', 'int', false],
  ['int', 'varchar(20) utf8mb4', false],
  ['json', 'json', true],
  ['varbinary(20)', 'varchar(20) utf8mb4', false],
];

describe('what a conversion can do to values', () => {
  for (const [from, to, fits, says] of RISKS) {
    it(`${from} → ${to}: ${fits ? 'every value fits' : 'a value may not fit'}`, () => {
      const risk = conversionRisk(column(from), column(to));
      expect(risk === null, risk ?? '').to.equal(fits);
      if (says !== undefined) expect(risk).to.match(says);
    });
  }
});
