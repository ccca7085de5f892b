import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { UntimedEvent } from '../../../harness/model/events.ts';
import { type StartContext, startOf } from '../../../harness/run/templates/start.ts';
import type { Claim } from '../../../harness/run/templates/template-store.ts';
import type { Link } from '../../../harness/wire/stack/link.ts';
import { guest, MemoryLink, server, udpFrame } from '../../wire/frames.ts';

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

describe('a guest that waited too long, of which its question is read first', () => {
  /** Told it before QEMU has stopped the guest, or then. */
  it.each(['before', 'once'])('leaves no template, but the next one may, told %s QEMU has stopped it', async (told) => {
    const done: string[] = [];
    const events: UntimedEvent[] = [];
    const records = { now: () => 0, emit: (event: UntimedEvent) => void events.push(event) };
    const claim = {
      ...{ start: 'make', moment: 'question', id: 'a', folder: '/nowhere' },
      made: () => void done.push('made'),
      release: () => void done.push('released'),
      postpone: () => void done.push('postponed'),
    };
    const tell = (when: string): void => {
      if (when === told) start.late();
    };
    const execute = async (command: string) => void done.push(command);
    const start = startOf(
      claim as Claim,
      {
        ...{ records, directory: '/nowhere', wake() {} },
        guest: () => ({ qmp: { execute }, cpuMs: () => 0 }),
        lateness: () => ({ pause: () => tell('once'), resume() {} }),
      } as unknown as StartContext,
    );
    const nic = new MemoryLink();
    let delivered = 0;
    start.gate(nic).onFrame(() => void delivered++);
    nic.deliver(udpFrame(guest, server, 68, 67, Buffer.from('a question')));
    expect([delivered, start.isHolding()]).toEqual([0, true]);
    tell('before');
    for (let turn = 0; turn < 4; turn++) await nextTurn();

    expect(done).toEqual(['stop', 'cont', 'postponed']);
    expect([delivered, start.isHolding()]).toEqual([1, false]);
    expect(events).toEqual([
      { source: 'vm', type: 'template-refused', reason: expect.stringContaining('answered late') },
    ]);
  });
});
