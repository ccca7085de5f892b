import { existsSync, lstatSync, readlinkSync, statSync } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { unpackDeb } from '../../harness/install/unpack-deb.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { type Content, makeDeb } from './local-mirror.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const out = (...path: string[]) => join(folder, 'out', ...path);

async function unpack(content: Content, patterns: string[], rename?: (path: string) => string): Promise<void> {
  const deb = join(folder, 'x.deb');
  await writeFile(deb, await makeDeb(content, folder, rename));
  await unpackDeb(deb, patterns, out());
}

const refusal = (text: string) =>
  expect.objectContaining({ code: 'missing-asset', message: expect.stringContaining(text) });

test('only what is wanted is unpacked, with its links', async () => {
  const content = { 'usr/a/one.rom': '1', 'usr/a/two.rom': { link: 'one.rom' }, 'usr/a/three.txt': '3' };
  await unpack(content, ['usr/a/*.rom']);
  expect(await readFile(out('usr/a/one.rom'), 'utf8')).toBe('1');
  expect(readlinkSync(out('usr/a/two.rom'))).toBe('one.rom');
  expect(existsSync(out('usr/a/three.txt'))).toBe(false);
});

test('zeros take no room on disk, and the length is kept', async () => {
  await unpack({ 'usr/flash.fd': `\x7fELF${'\0'.repeat(2 << 20)}end` }, ['*.fd']);
  const { size, blocks } = statSync(out('usr/flash.fd'));
  expect(size).toBe((2 << 20) + 7);
  expect(blocks * 512).toBeLessThan(1 << 18);
  expect((await readFile(out('usr/flash.fd'))).subarray(-4).toString('latin1')).toBe('\0end');
});

test.each([
  ['../', '../../escaped'],
  ['a leading slash', '/tmp/escaped'],
])('a member that climbs out by %s is refused', async (_, path) => {
  await expect(unpack({ 'usr/x': 'x' }, ['*'], () => path)).rejects.toEqual(refusal('would be written elsewhere'));
  expect(existsSync(join(folder, 'escaped'))).toBe(false);
});

test('an absolute link leads below the folder, and brings what it leads to', async () => {
  const content = { 'boot/ipxe.efi': 'iPXE', 'boot/other': 'x', 'usr/lib/ipxe.efi': { link: '/boot/ipxe.efi' } };
  await unpack(content, ['usr/lib/*.efi']);
  expect(await readFile(out('usr/lib/ipxe.efi'), 'utf8')).toBe('iPXE');
  expect(readlinkSync(out('usr/lib/ipxe.efi'))).toBe('../../boot/ipxe.efi');
  expect(existsSync(out('boot/other'))).toBe(false);
});

test('a link to a file of another package is kept as it is', async () => {
  await unpack({ 'usr/lib/a.so': { link: 'b.so.1' } }, ['*.so']);
  expect(readlinkSync(out('usr/lib/a.so'))).toBe('b.so.1');
});

test.each(['../../etc/passwd', '/../etc'])('a link to %s is refused', async (link) => {
  await expect(unpack({ 'usr/x': { link } }, ['*'])).rejects.toEqual(refusal(`leads elsewhere, to "${link}"`));
});

test('nothing is written through a link, even one that stays inside', async () => {
  const renamed = (path: string) => path.replace('usr/b', 'usr/a');
  await expect(unpack({ 'usr/a': { link: 'c' }, 'usr/b/x': 'x' }, ['*'], renamed)).rejects.toEqual(
    refusal('"usr/a/x" would be written through a link'),
  );
  expect(lstatSync(out('usr/a')).isSymbolicLink()).toBe(true);
});

test('a file that is no package, or is cut short, is refused', async () => {
  const deb = join(folder, 'y.deb');
  await writeFile(deb, 'Not found');
  await expect(unpackDeb(deb, ['*'], out())).rejects.toEqual(refusal('y.deb: expected an ar archive'));
  await writeFile(deb, await makeDeb({ 'usr/x': 'x'.repeat(9000) }, folder));
  await truncate(deb, statSync(deb).size - 20);
  await expect(unpackDeb(deb, ['*'], out())).rejects.toEqual(refusal('y.deb: expected an ar archive of a few members'));
});

/** Compresses the data of a .deb as Debian does. */
test('the xz of a real package is read', async () => {
  const tarball = join(folder, 'data.tar');
  await makeDeb({ 'usr/x': 'x'.repeat(300_000) }, folder);
  const { stdout } = await execa('xz', ['--stdout', tarball], { encoding: 'buffer' });
  const member = (name: string, bytes: Uint8Array) => [
    Buffer.from(`${name.padEnd(16)}${'0'.padEnd(32)}${String(bytes.length).padEnd(10)}\`\n`),
    bytes,
    Buffer.alloc(bytes.length % 2, '\n'),
  ];
  const deb = join(folder, 'z.deb');
  await writeFile(deb, Buffer.concat([Buffer.from('!<arch>\n'), ...member('data.tar.xz', stdout)]));
  await unpackDeb(deb, ['usr/*'], out());
  expect(statSync(out('usr/x')).size).toBe(300_000);
});
