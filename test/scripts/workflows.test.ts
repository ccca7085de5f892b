import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { AddCommand } from '../../harness/cli/command.ts';
import { bundleCommand } from '../../harness/cli/commands/bundle.ts';
import { installCommand } from '../../harness/cli/commands/install.ts';
import { runCommand } from '../../harness/cli/commands/run.ts';
import type { CliIo } from '../../harness/cli/io.ts';
import { folderOfFile } from '../temporary-folder.ts';

const github = fileURLToPath(new URL('../../.github', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(github, '../package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, string>;
  env?: Record<string, string>;
}
interface Workflow {
  jobs: Record<string, { steps: Step[] }>;
}
interface Action {
  inputs: Record<string, { default: string }>;
  runs: { steps: Step[] };
}

const yaml = (path: string): unknown => parse(readFileSync(join(github, path), 'utf8'));
const action = yaml('actions/netboot/action.yml') as Action;
const workflows = ['workflows', 'examples'].flatMap((folder) =>
  readdirSync(join(github, folder)).map((name) => `${folder}/${name}`),
);

const commands: Record<string, AddCommand> = { run: runCommand, install: installCommand, bundle: bundleCommand };

/** Parses a command line as `netboot` does, without doing anything; throws what the parser says. */
async function accept(argv: readonly string[]): Promise<void> {
  const program = new Command('netboot').exitOverride().configureOutput({ writeErr: () => {} });
  commands[argv[0] ?? '']?.(program, {} as CliIo, () => {});
  const command = program.commands[0];
  if (command === undefined) throw new Error(`no command ${argv[0]}`);
  command.exitOverride().configureOutput({ writeErr: () => {} });
  let parsed = false;
  command.action(() => {
    parsed = true;
  });
  await program.parseAsync([...argv], { from: 'user' });
  expect(parsed).toBe(true);
}

const folder = folderOfFile();
writeFileSync(join(folder, 'node'), '#!/bin/sh\nshift\nfor word; do printf "%s\\0" "$word"; done\n');
chmodSync(join(folder, 'node'), 0o755);

const filled = (text: string, inputs: Record<string, string>) =>
  text.replace(/\$\{\{ inputs\.(\w+) \}\}/g, (_, name: string) => inputs[name] ?? '').replace(/\$\{\{.*?\}\}/g, '1');

/** The command lines that the action's shell makes of these inputs. */
async function commandLines(given: Record<string, string>): Promise<string[][]> {
  const inputs = {
    ...Object.fromEntries(Object.entries(action.inputs).map(([name, row]) => [name, row.default])),
    ...given,
  };
  const lines: string[][] = [];
  mkdirSync(join(folder, inputs.out ?? ''), { recursive: true });
  writeFileSync(join(folder, inputs.out ?? '', 'results.json'), '{}');
  for (const { run, env = {} } of action.runs.steps) {
    if (run === undefined || !run.includes('node "$NETBOOT"')) continue;
    const values = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, filled(text, inputs)]));
    const { stdout } = await execa('bash', ['-e', '-o', 'pipefail', '-c', run], {
      cwd: folder,
      env: { ...values, PATH: `${folder}:${process.env.PATH}`, NETBOOT: 'netboot.mjs' },
    });
    lines.push(stdout.split('\0').slice(0, -1));
  }
  return lines;
}

describe('the action', () => {
  it('runs the default matrix without inputs', async () => {
    const lines = await commandLines({});
    expect(lines).toEqual([
      ['install', '--with-deps'],
      ['run', '--out', 'netboot-results'],
      ['bundle', 'netboot-results', '--out', 'netboot-results.zip'],
    ]);
    for (const line of lines) await accept(line);
  });

  it('passes each input on as one word, whatever is in it', async () => {
    const hostile = '$(touch /tmp/x) "; rm';
    const [, line = []] = await commandLines({
      matrix: hostile,
      set: 'a b\n\nforky\n',
      cells: "bios-*\n'\n",
      shard: '1/2',
    });
    expect(line.slice(3)).toEqual([
      ...['--matrix', hostile, '--shard', '1/2', '--set', 'a b', '--set', 'forky'],
      ...['bios-*', "'"],
    ]);
    await accept(line);
  });

  it('runs the smoke cases only where asked', async () => {
    const [, line = []] = await commandLines({ smoke: 'true' });
    expect(line).toEqual(['run', '--out', 'netboot-results', '--smoke']);
    await accept(line);
    expect((await commandLines({ smoke: 'false' }))[1]).not.toContain('--smoke');
  });

  it('asks for a key that the command line prints', async () => {
    const asking = action.runs.steps.find(({ run }) => run?.includes('GITHUB_OUTPUT'))?.run ?? '';
    const [, words = ''] = /netboot\.mjs" (install [^)]*)\)/.exec(asking) ?? [];
    await accept(words.split(' '));
  });
});

/** Commands in a step's shell lines: `npx netboot …`, `npm run -s netboot -- …`, and npm's own names for them. */
function* netbootCalls(text: string): Generator<string[]> {
  for (const line of text.split('\n')) {
    const [, words] = /(?:npx netboot|npm run (?:-s )?netboot --) (.*)$/.exec(line) ?? [];
    const [, matrix] = /npm run matrix(?: -- (.*))?$/.exec(line) ?? [];
    if (words !== undefined) yield words.split(' ');
    if (line.includes('npm run matrix')) yield ['run', ...(matrix?.split(' ') ?? [])];
  }
}

describe.each(workflows)('%s', (path) => {
  const steps = Object.values((yaml(path) as Workflow).jobs).flatMap((job) => job.steps);

  it('gives the action inputs that it has, and the command line words that it takes', async () => {
    const uses = steps.filter(({ uses: name }) => name?.includes('/actions/netboot@'));
    for (const { with: given = {} } of uses) {
      expect(Object.keys(action.inputs)).toEqual(expect.arrayContaining(Object.keys(given)));
      const texts = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, filled(text, {})]));
      for (const line of await commandLines(texts)) await accept(line);
    }
    const calls = steps.flatMap(({ run = '' }) => [...netbootCalls(filled(run, {}))]);
    for (const call of calls) await accept(call);
    if (path.startsWith('examples/')) expect(uses.length).toBeGreaterThan(0);
  });

  it('runs npm scripts that there are', () => {
    const called = steps.flatMap(({ run = '' }) =>
      [...run.matchAll(/npm run (?:-s )?([\w-]+)/g)].map(([, name]) => name),
    );
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(called));
  });
});
