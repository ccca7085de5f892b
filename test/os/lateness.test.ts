import { expect, it } from 'vitest';
import { watchLateness } from '../../harness/os/lateness.ts';

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it('tells whom it matters to for how long a process could do nothing', async () => {
  const lateBy: number[] = [];
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    const one = watchLateness(1_000, (lateMs) => {
      lateBy.push(lateMs);
      order.push('late');
    });
    const patient = watchLateness(10_000, () => order.push('never'));
    const two = watchLateness(200, (lateMs) => {
      lateBy.push(lateMs);
      one[Symbol.dispose]();
      two[Symbol.dispose]();
      patient[Symbol.dispose]();
      setImmediate(resolve);
    });
    setImmediate(() => {
      setImmediate(() => order.push('next'));
      block(2_000);
    });
  });
  expect(lateBy).toHaveLength(2);
  expect(lateBy[0]).toBe(lateBy[1]);
  expect(lateBy[0]).toBeGreaterThanOrEqual(1_890);
  expect(order).toEqual(['late', 'next']);
});

it('tells nobody what happened before they watched', () => {
  const lateBy: number[] = [];
  using one = watchLateness(200, (lateMs) => lateBy.push(lateMs));
  block(1_000);
  using two = watchLateness(200, () => lateBy.push(Number.NaN));
  two.look();
  one.look();
  expect(lateBy).toEqual([expect.any(Number)]);
  expect(lateBy[0]).toBeGreaterThanOrEqual(890);
});

it('says nothing any more once it is disposed of', async () => {
  const lateBy: number[] = [];
  watchLateness(200, (lateMs) => lateBy.push(lateMs))[Symbol.dispose]();
  await new Promise<void>((resolve) => setImmediate(resolve));
  block(1_500);
  await new Promise<void>((resolve) => setTimeout(resolve, 300));
  expect(lateBy).toEqual([]);
});
