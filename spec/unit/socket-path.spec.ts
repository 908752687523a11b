import { expect } from 'chai';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { checkLength, socketPaths } from '../../lib/control/socket-path';

describe('the paths of control sockets', () => {
  it('are not looked for in a directory that somebody else may have made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lhm-paths-'));
    try {
      const [real, link] = [join(folder, 'real'), join(folder, 'link')];
      await mkdir(real);
      await writeFile(join(real, 'a.sock'), '');
      await symlink(real, link);
      expect(await socketPaths(real)).to.deep.equal([join(real, 'a.sock')]);
      expect(await socketPaths(link)).to.deep.equal([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('are as long as the system can take at most', () => {
    checkLength('x'.repeat(100));
    expect(() => checkLength('x'.repeat(108))).to.throw('108 bytes');
  });
});
