import { expect } from 'chai';

import { sequencesOf } from '../../lib/schema/sequences';

describe('sequencesOf', () => {
  it('finds each sequence of a definition once', () => {
    const sql =
      'CREATE TABLE `t` (`a` int DEFAULT nextval(`s``x`.`a q`), `b` int DEFAULT (NEXTVAL(`s``x`.`a q`) * 2 + lastval(`z`.`y`)))';
    expect(sequencesOf(sql)).to.deep.equal([
      { schema: 's`x', table: 'a q' },
      { schema: 'z', table: 'y' },
    ]);
  });

  it('takes no text or name for one', () => {
    const sql = "CREATE TABLE `t` (`nextval` int DEFAULT 'nextval(`a`.`b`)' COMMENT 'nextval(`a`.`b`)')";
    expect(sequencesOf(sql)).to.deep.equal([]);
  });
});
