import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { pieceBytes } from '../../harness/services/tree/file-pieces.ts';
import { openTree, type ServedTree } from '../../harness/services/tree/served-tree.ts';
import { folderOfFile } from '../temporary-folder.ts';

const big = randomBytes(3_500_000);
const folder = folderOfFile();
let tree: ServedTree;

beforeAll(async () => {
  await mkdir(join(folder, 'served', 'sub'), { recursive: true });
  await writeFile(join(folder, 'secret'), 'secret');
  await writeFile(join(folder, 'served', 'sub', 'file'), 'below');
  await writeFile(join(folder, 'big'), big);
  await symlink(join(folder, 'secret'), join(folder, 'served', 'link'));
  await symlink(folder, join(folder, 'served', 'out'));
  await symlink(join(folder, 'served', 'sub'), join(folder, 'served', 'inside'));
  await symlink(join(folder, 'big'), join(folder, 'big-link'));
  tree = openTree({
    'grub/grub.cfg': { text: 'token abc' },
    files: { path: join(folder, 'served') },
    'files/sub/file2': { text: 'beside' },
    big: { path: join(folder, 'big-link') },
    gone: { path: join(folder, 'gone') },
  });
});

async function contentOf(name: string, from = tree): Promise<string> {
  const found = await from.lookup(name);
  if (found.kind !== 'file') throw new Error(JSON.stringify(found));
  const content = Buffer.alloc(found.bytes);
  await found.read(0, found.bytes, content);
  return content.toString('latin1');
}

describe('names', () => {
  test.each([
    ['grub/grub.cfg', 'token abc'],
    ['/grub/grub.cfg', 'token abc'],
    ['//grub//./grub.cfg', 'token abc'],
    ['files/sub/file', 'below'],
    ['/files//sub/file', 'below'],
    ['files/sub/file2', 'beside'],
  ])('%s is served', async (name, content) => {
    expect(await contentOf(name)).toBe(content);
  });

  test.each([
    ['../secret', 'unsafe-name', /"\.\."/],
    ['files/../../secret', 'unsafe-name', /"\.\."/],
    ['files/sub/..', 'unsafe-name', /"\.\."/],
    ['files\\sub\\file', 'unsafe-name', /backslash/],
    ['files/sub/file\0.efi', 'unsafe-name', /control/],
    ['files/\ufffd', 'unsafe-name', /UTF-8/],
    [`files/${'x'.repeat(256)}`, 'unsafe-name', /segment/],
    ['x/'.repeat(600), 'unsafe-name', /longer/],
    ['files/link', 'unsafe-name', /symbolic link/],
    ['files/out/secret', 'unsafe-name', /symbolic link/],
    ['files/inside/file', 'unsafe-name', /symbolic link/],
    ['/etc/passwd', 'not-found', /nothing is served/],
    ['//etc/passwd', 'not-found', /nothing is served/],
    ['', 'not-found', /nothing is served/],
    ['__proto__', 'not-found', /nothing is served/],
    ['files', 'not-found', /not a regular file/],
    ['files/sub', 'not-found', /not a regular file/],
    ['files/sub/file/more', 'not-found', /ENOTDIR/],
    ['files/absent', 'not-found', /ENOENT/],
    ['grub/grub.cfg/x', 'not-found', /nothing is served/],
    ['gone', 'not-found', /ENOENT/],
  ])('%j is refused', async (name, cause, reason) => {
    expect(await tree.lookup(name)).toEqual({ kind: 'refused', cause, reason: expect.stringMatching(reason) });
  });

  test('a whole folder can be the root', async () => {
    const root = openTree({ '/': { path: join(folder, 'served') } });
    expect(await contentOf('/sub/file', root)).toBe('below');
    expect(await root.lookup('link')).toMatchObject({ cause: 'unsafe-name' });
  });

  test('a name that could never be asked for is an error of the scenario', () => {
    expect(() => openTree({ '../up': { text: '' } })).toThrow(/"\.\.\/up" cannot be a name/);
  });
});

describe('content', () => {
  test('reading in order waits at most once for each piece of the file', async () => {
    const found = await tree.lookup('big');
    if (found.kind !== 'file') throw new Error(found.kind);
    const content = Buffer.alloc(big.length);
    let waits = 0;
    for (let offset = 0; offset < big.length; offset += 1428) {
      const copied = found.read(offset, 1428, content, offset);
      if (typeof copied === 'number') continue;
      waits += 1;
      await copied;
    }
    expect(content.equals(big)).toBe(true);
    expect(waits).toBeLessThanOrEqual(Math.ceil(big.length / pieceBytes));
  });

  test('reads in any order, and many at once, get the right bytes', async () => {
    const found = await tree.lookup('big');
    if (found.kind !== 'file') throw new Error(found.kind);
    const offsets = Array.from({ length: 60 }, (_, at) => (at * 7_654_321) % big.length);
    const readOne = async (offset: number) => {
      const target = Buffer.alloc(3000);
      const copied = await found.read(offset, target.length, target);
      return target.subarray(0, copied).equals(big.subarray(offset, offset + target.length));
    };
    expect(await Promise.all(offsets.map(readOne))).not.toContain(false);
    for (const offset of offsets.slice(0, 20)) expect(await readOne(offset)).toBe(true);
  });

  test('a file that changes while it is served is an error, not a mixture', async () => {
    const path = join(folder, 'changing');
    await writeFile(path, big);
    const changing = openTree({ file: { path } });
    const found = await changing.lookup('file');
    if (found.kind !== 'file') throw new Error(found.kind);
    await appendFile(path, 'more');
    await expect(found.read(0, 10, Buffer.alloc(10))).rejects.toThrow(/changed while it was served/);
  });
});
