import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fileIdentity } from '../../harness/os/file-identity.ts';
import { openJsonCache } from '../../harness/os/json-cache.ts';
import { writeWhole } from '../../harness/os/write-whole.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const open = (file: string | undefined, version = 1) => openJsonCache({ file, version, schema: z.number() });

describe('facts', () => {
  test('are kept across runs, in a folder that is made for them', async () => {
    const file = join(folder, 'cache', 'facts.json');
    const first = open(file);
    first.set('answer', 42);
    await first.save();
    expect(open(file).get('answer')).toBe(42);
    expect(open(file).get('question')).toBeUndefined();
    expect(open(file, 2).get('answer')).toBeUndefined();
  });

  test('without a file are known to this process alone', async () => {
    const cache = open(undefined);
    cache.set('answer', 42);
    await cache.save();
    expect([cache.get('answer'), open(undefined).get('answer')]).toEqual([42, undefined]);
  });

  test.each([
    ['torn', '{"version":1,"entries":{"answer":4'],
    ['empty', ''],
    ['null', 'null'],
    ['without entries', '{"version":1,"entries":null}'],
    ['of another shape', '[1]'],
    ['with something else in it', '{"version":1,"entries":{"answer":"42"}}'],
  ])('a file that is %s is none, and is written anew', async (_, text) => {
    const file = join(folder, 'facts.json');
    await writeFile(file, text);
    const cache = open(file);
    expect(cache.get('answer')).toBeUndefined();
    cache.set('answer', 1);
    await cache.save();
    expect(open(file).get('answer')).toBe(1);
  });

  test('that cannot be written cost nothing but time', async () => {
    await writeFile(join(folder, 'cache'), 'a file where the folder should be');
    const cache = open(join(folder, 'cache', 'facts.json'));
    cache.set('answer', 42);
    await expect(cache.save()).resolves.toBeUndefined();
  });

  test('that are not new are not written', async () => {
    const file = join(folder, 'facts.json');
    await writeFile(file, '{"version":1,"entries":{"answer":42}} ');
    const cache = open(file);
    cache.get('answer');
    await cache.save();
    expect(await readFile(file, 'utf8')).toMatch(/ $/);
  });
});

test('what another run learnt meanwhile is kept too', async () => {
  const file = join(folder, 'facts.json');
  const [one, other] = [open(file), open(file)];
  expect([one.get('a'), other.get('b')]).toEqual([undefined, undefined]);
  one.set('a', 1);
  other.set('b', 2);
  await one.save();
  await other.save();
  const after = open(file);
  expect([after.get('a'), after.get('b')]).toEqual([1, 2]);
});

test('saves that overlap leave what was learnt last', async () => {
  const file = join(folder, 'facts.json');
  const cache = open(file);
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      cache.set('answer', index);
      return cache.save();
    }),
  );
  expect(open(file).get('answer')).toBe(19);
  expect(await readdir(folder)).toEqual(['facts.json']);
});

test('a write that fails leaves the old file, and nothing beside it', async () => {
  const path = join(folder, 'taken');
  await mkdir(path);
  await expect(writeWhole(path, 'new')).rejects.toThrow();
  expect(await readdir(folder)).toEqual(['taken']);
});

test('a file that was replaced or rewritten is another one', async () => {
  const path = join(folder, 'rom');
  await writeFile(path, 'before');
  const before = fileIdentity(path);
  expect(fileIdentity(path)).toBe(before);
  await writeFile(path, 'later!');
  expect(fileIdentity(path)).not.toBe(before);
  await mkdir(join(folder, 'directory'));
  expect(() => fileIdentity(join(folder, 'directory'))).toThrow('not a regular file');
});
