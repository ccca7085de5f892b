import { expect, it } from 'vitest';
import { tableBounds } from '../../harness/model/bounds.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { createObserver } from '../../harness/observe/observer.ts';
import { recordedRun } from '../judge/recorded-run.ts';

const { plan, events } = recordedRun('bios-ipxe-rom');
const isDhcp = (event: HarnessEvent, messageType: string) =>
  event.source === 'wire' && event.type === 'dhcp' && event.messageType === messageType;
const request = events.find((event) => isDhcp(event, 'request')) as HarnessEvent;
const ack = events.find((event) => isDhcp(event, 'ack')) as HarnessEvent;

/** Whether an ACK proves a lease after REQUESTs under as many other xids. */
function isLease(others: number): boolean {
  const observer = createObserver(plan);
  observer.observe(request);
  for (let xid = 1; xid <= others; xid++) observer.observe({ ...request, xid } as HarnessEvent);
  return observer.observe(ack).some((one) => one.kind === 'stage' && one.stage === 'dhcp');
}

it('remembers as many REQUESTs of a guest that floods as a boot could need, and no more', () => {
  expect(isLease(0)).toBe(true);
  expect(isLease(tableBounds.requests - 1)).toBe(true);
  expect(isLease(tableBounds.requests)).toBe(false);
});

it('remembers deliveries of the files that prove something, whatever else a guest fetches', () => {
  const observer = createObserver(plan);
  for (let file = 0; file < 1000; file++) {
    observer.observe({
      tMs: 1,
      source: 'wire',
      type: 'tftp-complete',
      file: `${file}`,
      port: 1,
      bytes: 1,
      blocks: 1,
      ms: 1,
    });
  }
  for (const event of events) observer.observe(event);
  expect(observer.complete).toBe(true);
});
