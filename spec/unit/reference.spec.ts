import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { withReference } from '../support/reference';

describe('the reference in the README', () => {
  it('lists every option, event, hook, command and error code there is', () => {
    const readme = readFileSync(resolve(__dirname, '../../README.md'), 'utf8');
    expect(readme, 'npm run reference').to.equal(withReference(readme));
  });
});
