import { Duplex } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import type { Stage } from '../../harness/model/stages.ts';
import { injectLinkFaults } from '../../harness/run/boot/link-fault.ts';
import { startQmp } from '../../harness/vm/qmp.ts';

beforeEach(
  () => void vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'Date'] }),
);
afterEach(() => void vi.useRealTimers());

type Answer = { return: object } | { error: { class: string; desc: string } } | undefined;

/** QEMU's end of a QMP session: answers set_link, and keeps what it was told. */
function qemu(answer: (up: boolean) => Answer) {
  const links: boolean[] = [];
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      for (const line of chunk.toString().trim().split('\n')) {
        const { execute, arguments: args, id } = JSON.parse(line);
        if (execute === 'set_link') links.push(args.up);
        const said = execute === 'set_link' ? answer(args.up) : { return: {} };
        if (said) this.push(`${JSON.stringify({ ...said, id })}\n`);
      }
      done();
    },
  });
  return { stream, links };
}

function start(faults: object[], answer: (up: boolean) => Answer = () => ({ return: {} })) {
  const { stream, links } = qemu(answer);
  const events: UntimedEvent[] = [];
  const reached = new Set<Stage>();
  const emit = (event: UntimedEvent) => void events.push(event);
  const begun = Date.now();
  const injected = injectLinkFaults({
    ...{ faults: faults.map((fault) => faultSchema.parse(fault)), qmp: startQmp(stream, emit), emit },
    ...{ now: () => Date.now() - begun, hasReached: (stage: Stage) => reached.has(stage) },
  });
  /** A tick, and what QEMU answers to it. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 20) {
      await vi.advanceTimersByTimeAsync(20);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { ...injected, events, links, reached, stream, pass };
}

test('a link goes down once its moment has come, and up again', async () => {
  const { pass, links, reached, events } = start([{ from: { stage: 'dhcp' }, linkDownMs: 200 }]);
  await pass(100);
  expect(links).toEqual([]);
  reached.add('dhcp');
  await pass(100);
  expect(links).toEqual([false]);
  await pass(200);
  expect(links).toEqual([false, true]);
  expect(events).toMatchObject([{ type: 'fault', fault: 0, action: 'linkDownMs', count: 1 }]);
});

test('a link that two faults hold down is up when both have passed', async () => {
  const { pass, links, events } = start([{ linkDownMs: 200 }, { from: { ms: 100 }, linkDownMs: 400 }]);
  await pass(400);
  expect(links).not.toContain(true);
  await pass(300);
  expect(links).toEqual([false, false, true]);
  expect(events).toMatchObject([{ fault: 0 }, { fault: 1 }]);
});

test('what QEMU refuses is no fault that the guest met, but one of the harness', async () => {
  const error = { class: 'DeviceNotFound', desc: "Device 'net0' not found" };
  const { pass, events } = start([{ linkDownMs: 20 }], () => ({ error }));
  await pass(200);
  expect(events).toEqual([
    {
      ...{ source: 'run', type: 'infrastructure', code: 'qemu-failed', retryable: false },
      message: expect.stringMatching(/did not take the guest's link down: .*'net0' not found/),
    },
  ]);
});

test('a guest that ends before QEMU has answered met nothing', async () => {
  const { pass, events, links, stream } = start([{ linkDownMs: 20 }], () => undefined);
  await pass(40);
  expect(links).toEqual([false]);
  stream.destroy();
  await pass(40);
  expect(events).toEqual([]);
});

test('nothing is done to a guest whose boot has ended', async () => {
  const link = start([{ linkDownMs: 100 }, { from: { ms: 60 }, linkDownMs: 100 }]);
  await link.pass(40);
  link[Symbol.dispose]();
  await link.pass(400);
  expect(link.links).toEqual([false]);
});

test('a link that is down cannot be taken down by one more frame', async () => {
  const { pass, links, events, takeDown } = start([{ linkDownMs: { ms: 100, of: 1 } }]);
  takeDown(0, 100);
  takeDown(0, 100);
  await pass(200);
  takeDown(0, 100);
  await pass(200);
  expect(links).toEqual([false, true, false, true]);
  expect(events).toMatchObject([{ count: 1 }, { count: 2 }]);
});
