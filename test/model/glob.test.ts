import { expect, it } from 'vitest';
import { globMatches } from '../../harness/model/glob.ts';

it.each([
  ['', '', true],
  ['', 'a', false],
  ['abc', 'abc', true],
  ['abc', 'ABC', false],
  ['abc', 'abcd', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a?', 'a', false],
  ['*', '', true],
  ['*', 'anything', true],
  ['**', 'x', true],
  ['a*', 'a', true],
  ['*c', 'abcabc', true],
  ['*ab*ab', 'abab', true],
  ['*ab*ab', 'abxb', false],
  ['a*b*c', 'a-b-b-c', true],
  ['pc-q35-*', 'pc-q35-7.2', true],
  ['pc-q35-*', 'pc-i440fx-7.2', false],
  // Only * and ? are special.
  ['a.c', 'abc', false],
  ['[ab]', 'a', false],
  ['*+config-https', 'g.x+config-https', true],
  ['(a|b){2}\\', '(a|b){2}\\', true],
] as const)('%j on %j: %j', (glob, text, expected) => {
  expect(globMatches(glob, text)).toBe(expected);
});

it('is not led astray by a hostile pattern', () => {
  // Each star of a regular expression multiplies the time by the length of the text: this would take years.
  expect(globMatches(`${'*a'.repeat(30)}b`, 'a'.repeat(2_000))).toBe(false);
});
