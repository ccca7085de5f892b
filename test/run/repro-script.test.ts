import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { reproScript } from '../../harness/run/records/repro-script.ts';
import { scenario } from '../plan/found-scenario.ts';
import { folderOfTest } from '../temporary-folder.ts';

const hostile = `a b'c"d$(touch x)\n;touch y #`;

let folder: string;
let bin: string;
folderOfTest((made) => {
  folder = made;
  bin = join(folder, 'bin');
  mkdirSync(bin);
}, 'repro script');

/** A program that prints its name and arguments, each on a line of its own. */
function echoing(path: string): string {
  writeFileSync(path, '#!/bin/sh\nfor word in "$(basename "$0")" "$@"; do printf "%s|" "$word"; done\n');
  chmodSync(path, 0o755);
  return path;
}

interface Run {
  script: string;
  cwd?: string;
  argv?: string[];
}

function run({ script, cwd = folder, argv = [] }: Run) {
  const { status, stdout, stderr } = spawnSync(script, argv, {
    cwd,
    encoding: 'utf8',
    env: { PATH: `${bin}:/usr/bin:/bin` },
  });
  return { status, words: stdout.split('|').slice(0, -1), stderr };
}

function written(name: string, text: string): string {
  const directory = join(folder, name);
  mkdirSync(directory);
  const script = join(directory, 'repro.sh');
  writeFileSync(script, text, { mode: 0o755 });
  return script;
}

it('runs the program that made it, with the folder it lies in, from wherever it is called', () => {
  const program = { node: echoing(join(bin, 'node')), script: echoing(join(folder, 'main.js')) };
  const script = written('case', reproScript(scenario({}), [], program));
  const absolute = ['node', program.script, 'repro', join(folder, 'case'), '--console'];
  expect(run({ script, argv: ['--console'] })).toEqual({ status: 0, words: absolute, stderr: '' });
  expect(run({ script: 'case/repro.sh' }).words.at(-1)).toBe('./case');
  expect(run({ script: './repro.sh', cwd: join(folder, 'case') }).words.at(-1)).toBe('./.');
  const bySh = execFileSync('sh', ['repro.sh'], { cwd: join(folder, 'case'), encoding: 'utf8' });
  expect(bySh).toMatch(/\|\.\|$/);
});

it('runs the netboot in PATH where that program is gone, and says so where there is none', () => {
  const text = reproScript(scenario({}), [], { node: join(folder, 'no-node'), script: join(folder, 'no-main.js') });
  const script = written('case', text);
  const gone = run({ script });
  expect(gone).toMatchObject({ status: 3, words: [] });
  expect(gone.stderr).toContain('no-main.js is gone, and there is no netboot in PATH: install netboot-harness');
  echoing(join(bin, 'netboot'));
  expect(run({ script }).words).toEqual(['netboot', 'repro', join(folder, 'case')]);
});

it('passes on artefact sets, and trust where the case needs it', () => {
  echoing(join(bin, 'netboot'));
  const program = { node: join(folder, 'no-node'), script: '' };
  const script = written('case', reproScript(scenario({ qemuArgs: ['-S'] }), ['/my set'], program));
  expect(run({ script }).words).toEqual(['netboot', 'repro', '--set', '/my set', '--trust', join(folder, 'case')]);
});

it('takes no word of a name for a command', () => {
  const program = { node: echoing(join(bin, hostile.replaceAll('/', ''))), script: join(folder, hostile) };
  echoing(program.script);
  const cell = scenario({ qemuArgs: [`x\ntouch z\n#`], kernelArgs: hostile });
  const directory = `in ${hostile}`;
  const script = written(directory, reproScript(cell, [hostile], program));
  const { status, words, stderr } = run({ script });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(words.slice(1)).toEqual([program.script, 'repro', '--set', hostile, '--trust', join(folder, directory)]);
  expect(execFileSync('ls', { cwd: folder, encoding: 'utf8' })).not.toMatch(/^[xyz]$/m);
});
