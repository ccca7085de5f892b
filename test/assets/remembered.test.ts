import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileIdentity } from '../../harness/assets/file-identity.ts';
import { openRemembered } from '../../harness/assets/remembered.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remembered-'));
});
afterEach(() => rm(folder, { recursive: true }));

const isNumber = (value: unknown): value is number => typeof value === 'number';
const open = (file: string | undefined, version = 1) => openRemembered({ file, version, isFact: isNumber });

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
    const remembered = open(undefined);
    remembered.set('answer', 42);
    await remembered.save();
    expect([remembered.get('answer'), open(undefined).get('answer')]).toEqual([42, undefined]);
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
    const remembered = open(file);
    expect(remembered.get('answer')).toBeUndefined();
    remembered.set('answer', 1);
    await remembered.save();
    expect(open(file).get('answer')).toBe(1);
  });

  test('that cannot be written cost nothing but time', async () => {
    await writeFile(join(folder, 'cache'), 'a file where the folder should be');
    const remembered = open(join(folder, 'cache', 'facts.json'));
    remembered.set('answer', 42);
    await expect(remembered.save()).resolves.toBeUndefined();
  });

  test('that are not new are not written', async () => {
    const file = join(folder, 'facts.json');
    await writeFile(file, '{"version":1,"entries":{"answer":42}} ');
    const remembered = open(file);
    remembered.get('answer');
    await remembered.save();
    expect(await readFile(file, 'utf8')).toMatch(/ $/);
  });
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
