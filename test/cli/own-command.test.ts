import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { asTyped, ownCommand } from '../../harness/cli/own-command.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
}, 'own command');

function write(path: string, text = ''): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}
function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

/** A package whose program prints `it ran`, as npm lays it out. */
function packageAt(root: string, { checkout = false } = {}): { root: string; main: string } {
  write(join(root, 'package.json'), JSON.stringify({ scripts: { netboot: 'node scripts/netboot.mjs' } }));
  const main = write(join(root, '.build/harness/cli/main.js'), '#!/usr/bin/env node\nconsole.log("it ran");\n');
  if (checkout) write(join(root, 'scripts/netboot.mjs'), 'console.log("it ran");\n');
  return { root, main };
}

/** What the command prints when a shell runs it there. */
const ran = (command: string, cwd: string, path: string): string =>
  execFileSync('sh', ['-c', command], { cwd, encoding: 'utf8', env: { ...process.env, PATH: path } });

const { PATH: systemPath = '' } = process.env;

describe('the command that is printed starts this program', () => {
  it.each<[string, () => { root: string; cwd: string; path?: string; expected: RegExp }]>([
    [
      'installed for all',
      () => {
        const { root, main } = packageAt(join(folder, 'lib/node_modules/netboot-harness'));
        link(main, join(folder, 'bin/netboot'));
        return { root, cwd: folder, path: join(folder, 'bin'), expected: /^netboot$/ };
      },
    ],
    [
      'installed in a project, in a folder below it, as npx sets the path',
      () => {
        const { root, main } = packageAt(join(folder, 'project/node_modules/netboot-harness'));
        const bin = join(folder, 'project/node_modules/.bin');
        link(main, join(bin, 'netboot'));
        mkdirSync(join(folder, 'project/deep'));
        return { root, cwd: join(folder, 'project/deep'), path: bin, expected: /^npx netboot$/ };
      },
    ],
    [
      'from a clone',
      () => ({
        ...packageAt(join(folder, 'clone'), { checkout: true }),
        cwd: join(folder, 'clone'),
        expected: /^npm run -s netboot --$/,
      }),
    ],
    [
      'from a clone, seen from elsewhere',
      () => ({
        ...packageAt(join(folder, 'clone'), { checkout: true }),
        cwd: folder,
        expected: /^node '.*\/clone\/scripts\/netboot\.mjs'$/,
      }),
    ],
    [
      'installed elsewhere, beside another netboot',
      () => {
        write(join(folder, 'bin/netboot'), '#!/bin/sh\necho another\n');
        return {
          ...packageAt(join(folder, 'there')),
          cwd: folder,
          path: join(folder, 'bin'),
          expected: /^node '.*main\.js'$/,
        };
      },
    ],
  ])('%s', (_, given) => {
    const { root, cwd, path, expected } = given();
    const seen = path === undefined ? systemPath : `${path}:${systemPath}`;
    const command = ownCommand({ env: { PATH: seen }, cwd, root });
    expect(command).toMatch(expected);
    // npx and npm run put their own folders into the path; a person's shell does not have them.
    const typed = path?.includes('node_modules') ? systemPath : seen;
    expect(ran(`${command} list`, cwd, typed)).toBe('it ran\n');
  });
});

it('hints name commands as they have to be typed', () => {
  const hint = '`netboot list` shows all; netboot-harness; run netboot repro DIR';
  expect(asTyped(hint, 'npx netboot')).toBe('`npx netboot list` shows all; netboot-harness; run npx netboot repro DIR');
  expect(asTyped(hint, 'netboot')).toBe(hint);
});
