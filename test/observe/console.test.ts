import { expect, it, vi } from 'vitest';
import { createConsole } from '../../harness/observe/console.ts';

it('says nothing of its own about control sequences that a guest broke off', async () => {
  const said = (['log', 'info', 'warn', 'error'] as const).map((name) => vi.spyOn(console, name));
  const lines: string[] = [];
  const guest = createConsole(({ text }) => lines.push(text));
  guest.push(Buffer.from([0x1b, 0x5b, 0x30, 0xb3, 0x6f, 0x6b]));
  await guest.settle();
  guest.close();
  expect(lines).toEqual([expect.stringContaining('ok')]);
  expect(said.flatMap((spy) => spy.mock.calls)).toEqual([]);
  vi.restoreAllMocks();
});
