import type { defineMatrix } from 'netboot-harness';
import { type BootedCase, bootCase, describeMatrix } from 'netboot-harness/vitest';
import { expect, expectTypeOf, it } from 'vitest';

it('a scenario and a matrix are typed', () => {
  expectTypeOf(bootCase).returns.resolves.toEqualTypeOf<BootedCase>();
  expectTypeOf(describeMatrix).parameter(0).toEqualTypeOf<ReturnType<typeof defineMatrix>>();
});

it('a scenario that is several cases, or none, is refused before anything boots', async () => {
  const several = bootCase({ name: 'two', arch: 'x86_64', firmware: ['seabios', 'ovmf'], nic: 'e1000' });
  await expect(several).rejects.toMatchObject({
    code: 'bad-matrix',
    message: expect.stringMatching(/^two: expected exactly one case, saw \d/),
  });
  // @ts-expect-error: no such firmware
  await expect(bootCase({ arch: 'x86_64', firmware: 'coreboot', nic: 'e1000' })).rejects.toMatchObject({
    code: 'bad-matrix',
  });
});
