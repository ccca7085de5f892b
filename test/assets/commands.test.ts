import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findCommand } from '../../harness/assets/sets/commands.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

async function program(name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, '#!/bin/sh\n', { mode: 0o755 });
  return path;
}

const find = (command: string, ...path: string[]) =>
  findCommand(command, {
    cacheDir: join(folder, 'cache'),
    env: { PATH: path.map((name) => join(folder, name)).join(':') },
  });

describe('a server named in a matrix', () => {
  test('is the first of its name in PATH', async () => {
    const first = await program('first/my-dhcpd');
    await program('second/my-dhcpd');
    expect(await find('my-dhcpd', 'none', 'first', 'second')).toEqual({ path: first, env: {} });
  });

  test('is not what an npm package calls the same', async () => {
    await program('node_modules/.bin/my-dhcpd');
    const own = await program('second/my-dhcpd');
    expect(await find('my-dhcpd', 'node_modules/.bin', 'second')).toEqual({ path: own, env: {} });
  });

  test('is one that the set-up unpacked, with its libraries', async () => {
    const unpacked = await program('cache/programs/dhcp/root/usr/sbin/my-dhcpd');
    await program('cache/programs/dhcp/root/usr/lib/x86_64-linux-gnu/libdhcp.so.1');
    const libraries = expect.stringContaining(join(folder, 'cache/programs/dhcp/root/usr/lib/x86_64-linux-gnu'));
    expect(await find('my-dhcpd')).toEqual({ path: unpacked, env: { LD_LIBRARY_PATH: libraries } });
  });

  test('is said to be missing by its name, or by its path', async () => {
    expect(await find('my-dhcpd')).toEqual({ missing: expect.stringContaining('no program my-dhcpd in PATH') });
    await writeFile(join(folder, 'text'), '');
    const path = join(folder, 'text');
    expect(await find(path)).toEqual({ missing: `${path} is not an executable file` });
  });
});
