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

const RISKS: readonly (readonly [
  from: string,
  to: string,
  effect: 'stops' | 'loses' | null,
  says?: RegExp,
])[] = [
  ['int', 'bigint', null],
  ['bigint', 'int', 'stops', /2147483647/],
  ['int', 'int unsigned', 'stops', /below 0/],
  ['int unsigned', 'bigint', null],
  ['int unsigned', 'int', 'stops'],
  ['bigint unsigned', 'bigint', 'stops', /9223372036854775807/],
  ['tinyint(1)', 'int(11)', null],
  ['decimal(10,2)', 'decimal(12,2)', null],
  ['decimal(10,2)', 'decimal(10,4)', 'stops', /6 digits/],
  ['decimal(10,2)', 'decimal(10,1)', 'loses', /rounded to 1/],
  ['decimal(9,0)', 'int', null],
  ['decimal(10,0)', 'int', 'stops', /9 digits/],
  ['decimal(10,2)', 'bigint', 'loses'],
  ['int', 'decimal(10,0)', null],
  ['int', 'decimal(9,0)', 'stops'],
  ['decimal(5,0)', 'decimal(5,0) unsigned', 'stops', /negative/],
  ['float', 'double', null],
  ['double', 'float', 'loses'],
  ['double', 'decimal(10,2)', 'loses'],
  ['float', 'varchar(20) utf8mb4', 'stops'],
  ["enum('a','b') utf8mb4", "enum('b','a','c') utf8mb4", null],
  ["enum('a','b') utf8mb4", "enum('a') utf8mb4", 'stops', /'b'/],
  ["set('a','b') utf8mb4", "set('b','a') utf8mb4", null],
  ["set('a','b') utf8mb4", "enum('a','b') utf8mb4", 'stops', /combination/],
  ["enum('it''s') utf8mb4", "enum('it''s','x') utf8mb4", null],
  ['date', 'datetime', null],
  ['datetime', 'date', 'loses', /time of day/],
  ['datetime(6)', 'datetime', 'loses', /0 digits/],
  ['datetime', 'datetime(3)', null],
  ['datetime', 'timestamp', 'stops', /1970/],
  ['timestamp', 'datetime', null],
  ['time', 'date', 'loses'],
  ['varchar(50) utf8mb4', 'varchar(100) utf8mb4', null],
  ['varchar(50) utf8mb4', 'varchar(20) utf8mb4', 'stops', /20 characters/],
  ['varchar(50) latin1', 'varchar(50) utf8mb4', null],
  ['varchar(50) utf8mb4', 'varchar(50) latin1', 'stops', /latin1/],
  ['varchar(50) ascii', 'varchar(50) latin1', null],
  ['varchar(50) utf8mb3', 'varchar(50) utf8mb4', null],
  ['varchar(50) utf8mb4', 'varchar(50) utf8mb3', 'stops'],
  ['varchar(50) utf8mb4', 'text utf8mb4', null],
  ['varchar(300) utf8mb4', 'tinytext utf8mb4', 'stops', /255 bytes/],
  ['varchar(60) utf8mb4', 'tinytext utf8mb4', null],
  ['text utf8mb4', 'varchar(100) utf8mb4', 'stops', /100 characters/],
  ['mediumtext utf8mb4', 'text utf8mb4', 'stops', /65535 bytes/],
  ['text utf8mb4', 'mediumtext utf8mb4', null],
  ['varchar(20) utf8mb4', 'int', 'stops'],
  ['int', 'varchar(20) utf8mb4', 'stops'],
  ['json', 'json', null],
  ['varbinary(20)', 'varchar(20) utf8mb4', 'stops'],
];

describe('what a conversion can do to values', () => {
  for (const [from, to, effect, says] of RISKS) {
    it(`${from} → ${to}: ${effect ?? 'nothing'}`, () => {
      const risk = conversionRisk(column(from), column(to));
      expect(risk?.effect ?? null, risk?.message).to.equal(effect);
      if (says !== undefined) expect(risk?.message).to.match(says);
    });
  }
});
