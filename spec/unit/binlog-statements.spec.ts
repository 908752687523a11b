import { expect } from 'chai';

import { meaningOf } from '../../lib/changes/binlog/statements';

const ORIGIN = { schema: 's', table: 'emails' };

describe('what a statement of the binary log means to the table', () => {
  for (const [meaning, statements] of [
    [
      'nothing',
      [
        ...['DROP FUNCTION emails', 'DROP FUNCTION IF EXISTS `s`.`emails`', 'drop procedure emails'],
        ...['DROP EVENT emails', 'DROP /* TABLE */ EVENT emails', "DROP USER emails@'%'", 'DROP ROLE emails'],
        ...['DROP PACKAGE BODY emails', 'DROP PREPARE emails', 'RENAME USER emails TO others'],
        ...["ALTER FUNCTION emails COMMENT 'x'", 'ALTER EVENT emails DISABLE', 'DROP TRIGGER emails'],
        ...['ALTER EVENT e DO TRUNCATE TABLE emails', 'ALTER DEFINER = a@b EVENT e DO DROP TABLE emails'],
        ...['CREATE FUNCTION emails() RETURNS INT RETURN 1', 'CREATE PROCEDURE emails() DROP TABLE emails'],
        ...['CREATE EVENT emails ON SCHEDULE EVERY 1 DAY DO TRUNCATE TABLE emails', 'DROP VIEW emails'],
        ...['CREATE OR REPLACE TABLE other LIKE emails', 'CREATE OR REPLACE TABLE o.emails (a INT)'],
        ...['DROP INDEX emails ON other', 'DROP INDEX `on` ON other', 'DROP TABLE o.emails'],
        ...['ALTER TABLE other ADD FOREIGN KEY (a) REFERENCES emails (id)', 'DROP TEMPORARY TABLE emails'],
      ],
    ],
    [
      'table',
      [
        ...[
          'DROP TABLE emails',
          'DROP TABLE IF EXISTS other, s.emails',
          'TRUNCATE emails',
          'DROP TABLES emails',
        ],
        ...['ALTER TABLE emails ADD a INT', 'ALTER ONLINE IGNORE TABLE `EMAILS` ADD a INT'],
        ...['RENAME TABLE emails TO x', 'RENAME TABLE x TO emails', 'DROP INDEX i ON emails'],
        ...['DROP INDEX `on` ON emails', 'DROP INDEX IF EXISTS emails ON emails', 'DROP SEQUENCE emails'],
        ...[
          'CREATE OR REPLACE TABLE emails (a INT)',
          'CREATE OR REPLACE TABLE IF NOT EXISTS s.emails (a INT)',
        ],
        // One server reads them as they stand, another one leaves the comment out.
        ...[
          'DROP /*M! FUNCTION */ TABLE emails',
          'DROP /*!99999 EVENT */ emails',
          'DROP /*! FUNCTION */ emails',
        ],
        ...['ALTER TABLE IF EXISTS emails ADD a INT', 'ALTER TABLE "emails" ADD a INT'],
        'CREATE OR REPLACE TABLE emails AS SELECT f()',
        ...['SET STATEMENT lock_wait_timeout = 1 FOR DROP TABLE emails', 'TRUNCATE TABLE "emails"'],
      ],
    ],
    ['rows', ['INSERT INTO x VALUES (1)', 'CREATE OR REPLACE TABLE x AS SELECT f()', 'CALL emails()']],
  ] as const)
    for (const sql of statements)
      it(`${meaning}: ${sql}`, () => {
        expect(meaningOf(sql, 's', ORIGIN)).to.equal(meaning);
      });
});
