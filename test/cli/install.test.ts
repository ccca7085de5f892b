import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { folderOfFile } from '../temporary-folder.ts';
import { netbootWith } from './netboot.ts';

const cache = folderOfFile();

const install = (...argv: string[]) => netbootWith({ ...process.env, NETBOOT_CACHE: cache }, 'install', ...argv);

it('says what it would fetch, from where and into which folder, and does nothing', async () => {
  const { code, out } = await install('trixie', 'forky', '--dry-run', '--mirror', 'https://mirror.example/debian');
  expect(code).toBe(0);
  expect(out).toContain(`into ${cache}\n`);
  expect(out).toContain('trixie: 5 packages of Debian trixie from https://mirror.example/debian\n');
  expect(out).toContain('forky: 5 packages of Debian forky from https://mirror.example/debian\n');
  expect(out).not.toContain('bookworm');
  expect(readdirSync(cache)).toEqual([]);
});

it('takes the mirror from the environment too', async () => {
  const env = { ...process.env, NETBOOT_CACHE: cache, NETBOOT_DEBIAN_MIRROR: 'http://mirror.example/d' };
  const { out } = await netbootWith(env, 'install', 'trixie', '--dry-run');
  expect(out).toContain('from http://mirror.example/d\n');
});

it('refuses a set that there is not, and a mirror that is no URL, with the remedy', async () => {
  const unknown = await install('trixy');
  expect(unknown.code).toBe(2);
  expect(unknown.err).toContain('no set trixy to install; did you mean "trixie"?');
  expect(unknown.err).toContain('There are bookworm, trixie, forky, qemu-10, tgt, ');
  const noUrl = await install('--mirror', '/srv/mirror');
  expect(noUrl.code).toBe(2);
  expect(noUrl.err).toContain('--mirror /srv/mirror: expected an http or https URL');
});

it('a mirror that does not answer fails the set, and the command with exit code 3', async () => {
  const { code, out, err } = await install('trixie', '--mirror', 'http://127.0.0.1:1/debian');
  expect(code).toBe(3);
  expect(out).toBe('');
  expect(err).toContain(
    'trixie could not be fetched, so its cells will not run: http://127.0.0.1:1/debian/dists/trixie/',
  );
  expect(err).toContain('hint: Check the mirror named by --mirror or NETBOOT_DEBIAN_MIRROR.');
  expect(err).toContain('not installed: trixie');
});

it('prints a cache key, and only that', async () => {
  const { code, out, err } = await install('--print-cache-key');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^[0-9a-f]{16}\n$/);
});
