import { expect, test } from 'vitest';
import { manifestFor } from '../../harness/install/made-manifest.ts';
import { driftOf, readRecorded, recordOf } from '../../harness/install/recorded-packages.ts';
import { setRecipes } from '../../harness/install/set-recipes.ts';

const recorded = { ipxe: { version: '1.0', sha256: 'aa' }, ovmf: { version: '2026.02', sha256: 'bb' } };

test.each([
  ['the recorded packages', [{ name: 'ipxe', version: '1.0', sha256: 'aa' }], []],
  ['a newer one', [{ name: 'ipxe', version: '1.1', sha256: 'cc' }], ['ipxe 1.0 → 1.1']],
  ['the same version built anew', [{ name: 'ovmf', version: '2026.02', sha256: 'cc' }], ['ovmf 2026.02 → 2026.02']],
  ['one that was not recorded', [{ name: 'seabios', version: '1.17', sha256: 'dd' }], []],
  ['one that the machine had installed', [{ name: 'ipxe', version: '1.1' }], []],
])('%s', (_, packages, expected) => {
  expect(driftOf(recorded, packages)).toEqual(expected);
});

test('a set that has moved is made all the same, and says so of itself', () => {
  const recipe = { name: 'forky', installed: {}, unpacked: {} };
  const manifest = manifestFor({ recipe, folder: '/nowhere', packages: [], drift: ['ipxe 1.0 → 1.1'] });
  expect(manifest).toMatchObject({
    name: 'forky',
    description: 'Debian forky; changed since it was recorded: ipxe 1.0 → 1.1',
  });
});

test('what could not be fetched keeps the versions recorded before', () => {
  const moved = [{ name: 'ipxe', version: '1.1', sha256: 'cc' }];
  expect(recordOf({ forky: recorded, trixie: recorded }, { forky: moved, trixie: undefined })).toEqual({
    forky: { ipxe: { version: '1.1', sha256: 'cc' } },
    trixie: recorded,
  });
});

test('every set and program has its packages recorded', async () => {
  const all = await readRecorded();
  // Programs are recorded as built for one architecture.
  const nameOf = (name: string) => name.replace(/:.*/, '');
  for (const { name, unpacked } of setRecipes) {
    const known = Object.keys(all[name] ?? {}).map(nameOf);
    expect(known, name).toEqual(expect.arrayContaining(Object.keys(unpacked).map(nameOf)));
  }
});
