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
        ...['ALTER TABLE other EXCHANGE PARTITION emails WITH TABLE o.emails', 'CREATE TABLE x LIKE emails'],
        ...['ALTER TABLE other CONVERT PARTITION emails TO TABLE x', 'ALTER TABLE other ADD emails INT'],
        ...['ALTER TABLE other RENAME COLUMN a TO emails', 'ALTER TABLE other RENAME INDEX emails TO b'],
        ...['ALTER TABLE other RENAME TO o.emails', "ALTER TABLE other COMMENT = 'TABLE emails'"],
        ...[
          'DROP /*!40005 TEMPORARY */ TABLE IF EXISTS `emails`',
          'ALTER /*!50100 TABLE */ other ADD emails INT',
        ],
        ...['/*!50001 CREATE */ /*!50001 VIEW v AS SELECT 1 FROM emails */'],
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
        // Not the first table that they name.
        ...[
          'ALTER TABLE other EXCHANGE PARTITION p WITH TABLE emails',
          'alter table o.other exchange partition p with table `S` . `Emails` without validation',
          'ALTER TABLE other CONVERT TABLE s.emails TO PARTITION p VALUES LESS THAN (5)',
          'ALTER TABLE other CONVERT PARTITION p TO TABLE emails',
          'ALTER TABLE IF EXISTS other ADD a INT, RENAME TO emails',
          ...['ALTER TABLE other RENAME emails', 'ALTER TABLE other RENAME = s.emails'],
          ...[
            'RENAME TABLE x TO y, emails TO z',
            'RENAME TABLES a TO b, c TO s.emails',
            'DROP TABLE a, b, emails',
          ],
          ...['CREATE OR REPLACE SEQUENCE emails', 'DROP TABLE IF EXISTS a, `s`.`emails` RESTRICT'],
          'ALTER TABLE /*!99999 other ADD a INT, RENAME TO */ emails ADD a INT',
          'ALTER TABLE other /*!50100 EXCHANGE PARTITION p WITH TABLE emails */',
          ...['/*!99999 CREATE TABLE x LIKE y */ TRUNCATE emails', 'DROP /*!99999 TEMPORARY */ TABLE emails'],
          'DROP /*!80000 TABLE x */ /*!99999 , */ /*M! TABLE */ emails',
        ],
      ],
    ],
    ['rows', ['INSERT INTO x VALUES (1)', 'CREATE OR REPLACE TABLE x AS SELECT f()', 'CALL emails()']],
  ] as const)
    for (const sql of statements)
      it(`${meaning}: ${sql}`, () => {
        expect(meaningOf(sql, 's', ORIGIN)).to.equal(meaning);
      });
});
