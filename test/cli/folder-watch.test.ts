import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { watchFolders } from '../../harness/cli/folder-watch.ts';
import { folderOfFile } from '../temporary-folder.ts';

const root = folderOfFile();
const { signal } = new AbortController();

function build(folder: string, text: string): void {
  mkdirSync(join(folder, 'deep'), { recursive: true });
  writeFileSync(join(folder, 'deep/rom'), text);
}

it('sees what a build does to its folder: writes, moves onto a file, and a folder that was recreated', async () => {
  const folder = join(root, 'build');
  const rom = join(folder, 'deep/rom');
  build(folder, '1');
  const nextChange = watchFolders([folder]);
  const moveOnto = (text: string) => {
    writeFileSync(join(root, 'new'), text);
    renameSync(join(root, 'new'), rom);
  };

  writeFileSync(rom, '22');
  expect(await nextChange(signal)).toEqual([rom]);
  for (const text of ['333', '4444']) {
    moveOnto(text);
    expect(await nextChange(signal)).toEqual([rom]);
  }
  rmSync(folder, { recursive: true });
  const gone = nextChange(signal);
  build(join(root, 'again'), '55555');
  renameSync(join(root, 'again'), folder);
  expect(await gone).toEqual([rom]);
  writeFileSync(rom, '666666');
  expect(await nextChange(signal)).toEqual([rom]);
});

it('stops waiting when it is told to', async () => {
  const folder = join(root, 'quiet');
  mkdirSync(folder);
  const nextChange = watchFolders([folder]);
  const stop = new AbortController();
  const waiting = nextChange(stop.signal);
  stop.abort();
  await expect(waiting).rejects.toThrow('aborted');
});
