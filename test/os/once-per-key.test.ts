import { expect, test } from 'vitest';
import { oncePerKey } from '../../harness/os/once-per-key.ts';

test('a value is made once for all who ask, and a rejection is not kept', async () => {
  const once = oncePerKey<number>();
  let made = 0;
  const make = async () => {
    made++;
    if (made === 1) throw new Error('not yet');
    return made;
  };
  const first = [once('a', make), once('a', make)];
  expect(await Promise.allSettled(first)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
  expect(await Promise.all([once('a', make), once('a', make), once('b', make)])).toEqual([2, 2, 3]);
  expect(await once('a', make)).toBe(2);
});
