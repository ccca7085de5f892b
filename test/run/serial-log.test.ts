import { PassThrough, Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { recordBounds } from '../../harness/model/bounds.ts';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { createSerialLog } from '../../harness/run/records/serial-log.ts';
import { createGuard } from '../../harness/wire/guard.ts';

function start(raw: (chunk: Buffer) => Promise<void> | undefined = () => undefined) {
  const events: UntimedEvent[] = [];
  const emit = (event: UntimedEvent): void => void events.push(event);
  let rawBytes = 0;
  const log = createSerialLog({
    raw(chunk) {
      rawBytes += chunk.length;
      return raw(chunk);
    },
    emit,
    guard: createGuard(emit),
  });
  return { log, events, rawBytes: () => rawBytes };
}

/** A guest that sends the same text without end, and how much of it was read. */
function endless(text: string) {
  const chunk = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  let sent = 0;
  const port = new Readable({
    read() {
      sent += chunk.length;
      this.push(chunk);
    },
  });
  return { port, sent: () => sent };
}

/** Until the guest has not been read from for a while of the event loop. */
async function atRest(sent: () => number): Promise<void> {
  for (let before = -1; before !== sent(); ) {
    before = sent();
    for (let turn = 0; turn < 10; turn++) await nextTurn();
  }
}

const bounded = (events: readonly UntimedEvent[]) => events.filter(({ type }) => type === 'bounded');

describe('the log of a serial port', () => {
  it('reads no faster than the disk writes, and loses nothing', async () => {
    const waiting: (() => void)[] = [];
    const { log, events, rawBytes } = start(() => new Promise((resolve) => waiting.push(resolve)));
    const port = new PassThrough();
    log.read(port);
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    for (const line of lines) port.write(`${line}\r\n`);
    await nextTurn();
    const before = rawBytes();
    expect(before).toBeLessThan(20);
    let caughtUp = false;
    for (; rawBytes() < lines.join('\r\n').length + 2; await nextTurn()) {
      void log.caughtUp().then(() => {
        caughtUp = true;
      });
      expect(waiting.length).toBeLessThanOrEqual(1);
      waiting.shift()?.();
    }
    waiting.shift()?.();
    await log.caughtUp();
    expect(caughtUp).toBe(true);
    expect(events.map((event) => 'text' in event && event.text)).toEqual(lines);
  });

  it.each([
    ['bytes', 'x'.repeat(1000), 'serialBytes'],
    ['blank lines', '\n', 'consoleLines'],
  ] as const)('stops reading at its bound of %s, and says so', async (_, text, what) => {
    const { log, events, rawBytes } = start();
    const { port, sent } = endless(text);
    log.read(port);
    await atRest(sent);
    expect(bounded(events)).toEqual([{ source: 'run', type: 'bounded', what, limit: recordBounds[what], ends: true }]);
    expect(log.bytes()).toBe(rawBytes());
    expect(rawBytes()).toBeLessThanOrEqual(recordBounds.serialBytes);
    expect(sent()).toBeLessThan(rawBytes() + 1_000_000);
    expect(log.transcript().at(-1)).toMatch(/^\[the harness stopped reading here: /);
    port.destroy();
  });

  it('ends its case where a line cannot be recorded', async () => {
    const { log, events } = start(() => {
      throw new TypeError('no such sink');
    });
    const port = new PassThrough();
    log.read(port);
    port.write('text');
    await nextTurn();
    expect(events).toEqual([
      expect.objectContaining({
        type: 'infrastructure',
        message: expect.stringMatching(/^the serial port failed: .*no such sink/),
      }),
    ]);
  });

  it('shows the line that a guest has paused in', async () => {
    const { log, events } = start();
    const port = new PassThrough();
    log.read(port);
    port.write('grub> ');
    while (events.length === 0) await nextTurn();
    expect(events).toEqual([{ source: 'serial', type: 'line', offset: 6, text: 'grub>', open: true }]);
    log.end();
  });
});
