import { createRequire } from 'node:module';
import { expect, it } from 'vitest';

it('importing the package changes nothing for others in the process', async () => {
  const { opts } = createRequire(import.meta.url)('dhcp/lib/options.js') as { opts: object };
  const before = JSON.stringify(opts);
  const properties = Object.getOwnPropertyNames(Reflect);
  await import('../harness/index.ts');
  expect(JSON.stringify(opts)).toBe(before);
  expect(Object.getOwnPropertyNames(Reflect)).toEqual(properties);
});
