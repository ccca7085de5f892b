import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { settle } from '../../harness/run/boot/settle.ts';
import { withSocketFolder } from '../../harness/vm/socket-folder.ts';
import { createSocketPair } from '../../harness/vm/socket-pair.ts';

it('reads what had been sent when it was called, from every stream', async () => {
  const pairs = await withSocketFolder((folder) => Promise.all([createSocketPair(folder), createSocketPair(folder)]));
  let received = 0;
  for (const { ours } of pairs) {
    ours.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
  }
  for (const { ours } of pairs) ours.resume();
  await nextTurn();
  for (const { theirs } of pairs) theirs.write(Buffer.alloc(1_000));
  await settle(() => received);
  expect(received).toBe(2_000);
  for (const { ours, theirs } of pairs) {
    ours.destroy();
    theirs.destroy();
  }
});

it('does not wait for a guest that sends without end', async () => {
  let received = 0;
  let sending = true;
  const send = async (): Promise<void> => {
    for (; sending; await nextTurn()) received++;
  };
  const sent = send();
  await settle(() => received);
  sending = false;
  await sent;
  expect(received).toBeLessThan(100);
});
