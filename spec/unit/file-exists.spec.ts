import { expect } from 'chai';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { fileExists } from '../../lib/util/file-exists';

describe('looking for a file', () => {
  let folder: string;

  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'lhm-file-'))));
  afterEach(() => rm(folder, { recursive: true }));

  it('finds files, folders and links that lead nowhere', async () => {
    const path = join(folder, 'file');
    expect(await fileExists(path)).to.equal(false);
    await symlink(join(folder, 'nowhere'), path);
    expect(await fileExists(path)).to.equal(true);
    await writeFile(join(folder, 'other'), '');
    expect(await fileExists(join(folder, 'other'))).to.equal(true);
    expect(await fileExists(folder)).to.equal(true);
  });

  it('a file system that does not answer is asked once, until it does', async () => {
    const path = join(folder, 'file');
    let looks = 0;
    let answer: (found: boolean) => void = () => undefined;
    const look = (): Promise<boolean> => {
      looks += 1;
      return new Promise((resolve) => (answer = resolve));
    };
    const outcome = (): Promise<unknown> =>
      fileExists(path, look, 20).catch((error: unknown) => (error as Error).message);
    for (let i = 0; i < 5; i++) expect(await outcome()).to.equal('the file system does not answer');
    expect(looks).to.equal(1);
    expect(await fileExists(folder)).to.equal(true);
    answer(true);
    await new Promise(setImmediate);
    expect(await fileExists(path)).to.equal(false);
    const again = outcome();
    answer(true);
    expect(await again).to.equal(true);
    expect(looks).to.equal(2);
  });
});
