import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { commandNames } from '../../harness/cli/command-names.ts';
import { netboot } from './netboot.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
/** A changelog also names what is gone. */
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: checkout, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((page) => page !== 'CHANGELOG.md');
const { scripts } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { scripts: object };

/** Fenced blocks and code spans, without what is quoted for a shell. */
function codeOf(text: string): string[] {
  const fences = [...text.matchAll(/^```.*\n([\s\S]*?)^```/gm)].map(([, code = '']) => code);
  const spans = [...text.replace(/^```.*\n[\s\S]*?^```/gm, '').matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  return [...fences, ...spans].map((code) => code.replaceAll('\\\n', ' ').replace(/'[^'\n]*'|"[^"\n]*"/g, "''"));
}

interface Call {
  command: string;
  options: string[];
}

function callsIn(text: string): Call[] {
  return codeOf(text).flatMap((code) =>
    [...code.matchAll(/(?<![\w/.-])netboot (?:-- )?([a-z][a-z-]*)([^\n;&|#]*)/g)].map(([, name = '', rest = '']) => {
      const [, part = ''] = /^ (scan|make|extract|drain|show)\b/.exec(rest) ?? [];
      const command = ['set', 'rom', 'firmware', 'farm'].includes(name) ? `${name} ${part}`.trim() : name;
      return { command, options: rest.match(/(?<![\w-])--[a-z][a-z-]*/g) ?? [] };
    }),
  );
}

const helps = new Map<string, string>();
async function helpOf(command: string): Promise<string> {
  const help = helps.get(command) ?? (await netboot(...command.split(' '), '--help')).out;
  helps.set(command, help);
  return help;
}

/** What of these calls the command line does not have. */
async function unknownIn(calls: readonly Call[]): Promise<string[]> {
  const unknown: string[] = [];
  for (const { command, options } of calls) {
    if (!(commandNames as readonly string[]).includes(command.split(' ')[0] ?? '')) unknown.push(command);
    else {
      const help = await helpOf(command === 'farm' ? 'farm show' : command);
      unknown.push(...options.filter((option) => !help.includes(option)).map((option) => `${command} ${option}`));
    }
  }
  return unknown;
}

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(checkout, page), 'utf8');

  it('names commands and options that there are', async () => {
    expect(await unknownIn(callsIn(text))).toEqual([]);
  });

  it('names npm scripts that there are', () => {
    const called = [...text.matchAll(/npm run (?:-s )?([a-z][\w-]*)/g)].map(([, name]) => name);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(called));
  });
});

it.each(commandNames)('the examples in the help of %s are of commands and options that there are', async (command) => {
  expect(await unknownIn(callsIn(`\`\`\`\n${await helpOf(command)}\n\`\`\`\n`))).toEqual([]);
});

it('finds the calls of a page', () => {
  const calls = callsIn(
    'Say `npm run -s netboot -- run --arch x --no-such`:\n```sh\nnetboot set scan DIR --write; x\n```\n',
  );
  expect(calls).toEqual([
    { command: 'set scan', options: ['--write'] },
    { command: 'run', options: ['--arch', '--no-such'] },
  ]);
});
