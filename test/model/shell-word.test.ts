import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from '../../harness/model/shell-word.ts';

const words = [
  'plain/word.1',
  '',
  ' ',
  "it's",
  '$(touch x) `y` "z" \\ \\n \\0101',
  'a\nb',
  '\n',
  'a\n\n',
  '\u001b[2J',
  '\u001b1\u00077\t',
  "\u001b\\033 '%s %b",
  '\u007f\r',
  'ü 語 \u{1f4a5}',
  '-n',
];

it.each(words)('a shell takes it for the one word that it was: %j', (word) => {
  const command = `for word in ${shellWord(word)} ${shellWord(word)}; do printf '%s\\0' "$word"; done`;
  expect(execFileSync('sh', ['-c', command], { encoding: 'utf8' })).toBe(`${word}\0${word}\0`);
});

it('puts nothing on a terminal that would move its cursor', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  for (const word of words) expect(shellWord(word)).not.toMatch(/[\0-\x08\x0b-\x1f\x7f]/);
});
