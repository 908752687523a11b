import { expect } from 'chai';

import { servedAfterRename } from '../../lib/cut-over/first-in-line';

describe('what a RENAME that waits is served before', () => {
  for (const statement of [
    'SELECT 1',
    '  (SELECT 1) UNION (SELECT 2)',
    '/* app:shop */ INSERT INTO emails VALUES (1)',
    '-- a comment\nUPDATE emails SET x = 1',
    '# a comment\n  delete from emails',
    'REPLACE INTO emails VALUES (1)',
    'WITH x AS (SELECT 1) SELECT * FROM x',
    'LOCK TABLES emails WRITE',
  ]) {
    it(JSON.stringify(statement), () => expect(servedAfterRename(statement)).to.equal(true));
  }

  for (const statement of [
    'TRUNCATE TABLE emails',
    '/* select */ truncate emails',
    '-- select\nDROP TABLE emails',
    'RENAME TABLE emails TO letters',
    'ALTER TABLE emails DISCARD TABLESPACE',
    'CREATE OR REPLACE TABLE emails (id INT)',
    '/*!50000 TRUNCATE TABLE emails */',
    '/*M! TRUNCATE TABLE emails */',
    'SELECTED',
    '',
  ]) {
    it(`not ${JSON.stringify(statement)}`, () => expect(servedAfterRename(statement)).to.equal(false));
  }
});
