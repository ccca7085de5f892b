import { expect, it } from 'vitest';
import type { UntimedEvent } from '../../../harness/model/events.ts';
import { type StartContext, startOf } from '../../../harness/run/templates/start.ts';
import type { Claim } from '../../../harness/run/templates/template-store.ts';
import type { Link } from '../../../harness/wire/stack/link.ts';

it('keeps no more than a mebibyte of a guest that never comes to the moment of its template, and lets it go on', () => {
  const events: UntimedEvent[] = [];
  let released = 0;
  const records = { now: () => 0, emit: (event: UntimedEvent) => void events.push(event) };
  const claim: Partial<Claim> = { start: 'make', moment: 'request', release: () => void released++ };
  const start = startOf(claim as Claim, { records, wake() {} } as unknown as StartContext);

  let arrive = (_: Buffer): void => {};
  const nic: Partial<Link> = {
    onFrame(listener) {
      arrive = listener;
    },
  };
  let delivered = 0;
  start.gate(nic as Link).onFrame(() => void delivered++);
  for (let sent = 0; sent < 2048; sent++) arrive(Buffer.alloc(1024, 0xff));

  expect(delivered).toBe(2048);
  expect(released).toBe(1);
  const reason = expect.stringContaining('1048576 bytes');
  expect(events).toEqual([{ source: 'vm', type: 'template-refused', reason }]);
});
