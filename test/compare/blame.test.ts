import { expect, it } from 'vitest';
import { findBlame, type Likeness, likenessOf, type Swap } from '../../harness/compare/blame.ts';
import type { Outcome } from '../../harness/compare/outcome.ts';

/** Boots that depend on which case each part comes from. */
const guests = (parts: readonly string[], isBad: (badOnes: ReadonlySet<string>) => Likeness) => {
  const booted: Swap[] = [];
  const boot = async (swaps: readonly Swap[]) => {
    booted.push(...swaps);
    return swaps.map(({ into, parts: swapped }) =>
      isBad(new Set(parts.filter((part) => (into === 'bad') !== swapped.includes(part)))),
    );
  };
  return { booted, blame: () => findBlame(parts, boot) };
};
const ifBad =
  (...names: string[]) =>
  (bad: ReadonlySet<string>) =>
    names.every((name) => bad.has(name)) ? 'bad' : 'good';

it('blames the one part that makes the difference both ways', async () => {
  const { blame, booted } = guests(['firmware', 'rom', 'nbp'], ifBad('nbp'));
  expect((await blame()).culprits).toEqual([['nbp']]);
  expect(booted).toHaveLength(6);
});

it('blames a pair where neither alone breaks the good case', async () => {
  const { blame, booted } = guests(['firmware', 'rom', 'nbp'], ifBad('rom', 'nbp'));
  expect((await blame()).culprits).toEqual([['rom', 'nbp']]);
  expect(booted).toHaveLength(12);
});

it('blames what is all of the difference without booting it again', async () => {
  const one = guests(['nbp'], ifBad('nbp'));
  expect(await one.blame()).toEqual({ culprits: [['nbp']], tried: [] });
  const two = guests(['rom', 'nbp'], ifBad('rom', 'nbp'));
  expect((await two.blame()).culprits).toEqual([['rom', 'nbp']]);
  expect(two.booted).toHaveLength(4);
});

it('blames nothing where three have to come together, or a boot could not tell', async () => {
  const three = guests(['a', 'b', 'c', 'd'], ifBad('a', 'b', 'c'));
  expect((await three.blame()).culprits).toEqual([]);
  const unknown = guests(['a', 'b', 'c'], (bad) => (bad.has('a') ? 'unknown' : 'good'));
  expect((await unknown.blame()).culprits).toEqual([]);
});

it('takes a stop at another stage, or with other words, for neither', () => {
  const stops = (at: 'dhcp' | 'config', words: string): Outcome => ({ kind: 'stops', at, rule: 'ipxe-error', words });
  const good: Outcome = { kind: 'boots' };
  const bad = stops('config', 'ipxe.org/1');
  expect(likenessOf({ kind: 'boots' }, good, bad)).toBe('good');
  expect(likenessOf(stops('config', 'ipxe.org/1'), good, bad)).toBe('bad');
  expect(likenessOf(stops('config', 'ipxe.org/2'), good, bad)).toBe('neither');
  expect(likenessOf(stops('dhcp', 'ipxe.org/1'), good, bad)).toBe('neither');
  expect(likenessOf({ kind: 'varies' }, good, bad)).toBe('unknown');
});
