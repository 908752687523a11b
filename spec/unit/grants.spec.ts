import { expect } from 'chai';
import { Grants, parseGrants } from '../../lib/database/grants';

function grants(...lines: string[]): Grants {
  return new Grants(parseGrants(lines));
}

describe('grants', () => {
  it('of a schema hold there and nowhere else', () => {
    const app = grants(
      'GRANT USAGE ON *.* TO `app`@`%`',
      'GRANT SELECT, LOCK TABLES, TRIGGER ON `shop`.* TO `app`@`%`',
    );
    expect(app.has('LOCK TABLES', 'shop')).to.equal(true);
    expect(app.has('INSERT', 'shop')).to.equal(false);
    expect(app.has('SELECT', 'other')).to.equal(false);
    expect(app.hasGlobal('SELECT')).to.equal(false);
  });

  it('may be patterns, and a backslash takes that away', () => {
    expect(grants('GRANT ALL PRIVILEGES ON `shop%`.* TO `a`@`%`').has('DROP', 'shop_1')).to.equal(true);
    expect(grants('GRANT ALL PRIVILEGES ON `my\\_app`.* TO `a`@`%`').has('DROP', 'my_app')).to.equal(true);
    expect(grants('GRANT ALL PRIVILEGES ON `my\\_app`.* TO `a`@`%`').has('DROP', 'myXapp')).to.equal(false);
  });

  it('of one table or some columns do not count, for the migration makes tables of its own', () => {
    expect(grants('GRANT ALL PRIVILEGES ON `shop`.`t` TO `a`@`%`').has('SELECT', 'shop')).to.equal(false);
    expect(grants('GRANT SELECT (`a`, `b`), INSERT ON `shop`.* TO `a`@`%`').has('SELECT', 'shop')).to.equal(
      false,
    );
    expect(grants('GRANT SELECT (`a`, `b`), INSERT ON `shop`.* TO `a`@`%`').has('INSERT', 'shop')).to.equal(
      true,
    );
  });

  it('of the whole server hold everywhere', () => {
    const root = grants('GRANT SELECT, PROCESS, SUPER ON *.* TO `root`@`%` WITH GRANT OPTION');
    expect(root.has('SELECT', 'any')).to.equal(true);
    expect(root.hasGlobal('PROCESS')).to.equal(true);
  });
});
