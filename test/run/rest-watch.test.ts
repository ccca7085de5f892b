import { describe, expect, it } from 'vitest';
import type { TimeReading } from '../../harness/run/boot/guest-time.ts';
import { createRestWatch, type Signs } from '../../harness/run/boot/rest-watch.ts';
import { recordedRun } from '../judge/recorded-run.ts';

const { deadlines } = recordedRun('bios-ipxe-rom').plan;
const plan = { deadlines: { ...deadlines, restMs: { dhcp: 40_000 } } };

interface Second {
  /** CPU time, ms. */
  cpuMs?: number;
  waitedMs?: number;
  frames?: number;
  consoleBytes?: number;
}

/** A guest under our hand, a second at a time, looked at four times in each. */
function watched() {
  let atMs = 0;
  let cpuMs: number | undefined = 0;
  let waitedMs = 0;
  const shown: Signs = { frames: 0, consoleBytes: 0 };
  const read = (): TimeReading => ({ atMs, links: [new Map([[1, waitedMs]])], cpuMs });
  const watch = createRestWatch(plan, read, () => ({ ...shown }));
  return {
    uncounted: () => {
      cpuMs = undefined;
    },
    live(seconds: number, { cpuMs: cpu = 20, waitedMs: waited = 0, frames = 0, consoleBytes = 0 }: Second = {}) {
      let rest: ReturnType<typeof watch.tick>;
      shown.frames += frames;
      shown.consoleBytes += consoleBytes;
      for (let tick = 0; tick < seconds * 4; tick++) {
        atMs += 250;
        if (cpuMs !== undefined) cpuMs += cpu / 4;
        waitedMs += waited / 4;
        rest ??= watch.tick('dhcp');
      }
      return rest;
    },
    tick: watch.tick,
  };
}

describe('a guest at rest', () => {
  it('is told once it has been for longer than it may while the stage is awaited', () => {
    const guest = watched();
    expect(guest.live(40)).toBeUndefined();
    expect(guest.live(1)).toEqual({ stage: 'dhcp', allowedMs: 40_000, restedMs: 40_250 });
  });

  it.each([
    ['a frame', { frames: 1 }],
    ['a letter on the console', { consoleBytes: 1 }],
    ['work', { cpuMs: 400 }],
  ])('is not at rest that shows %s, and may be for as long again', (_, sign) => {
    const guest = watched();
    guest.live(39);
    expect(guest.live(1, sign)).toBeUndefined();
    expect(guest.live(39)).toBeUndefined();
    expect(guest.live(2)).toBeDefined();
  });

  it('is not one that polls its NIC, however long it says nothing', () => {
    expect(watched().live(300, { cpuMs: 440 })).toBeUndefined();
  });

  it('is not one that would work, and waits for a CPU: its share of the time that it could run is what counts', () => {
    expect(watched().live(600, { cpuMs: 50, waitedMs: 900 })).toBeUndefined();
  });

  it('has its pauses at the pace of a busy host', () => {
    const guest = watched();
    expect(guest.live(79, { cpuMs: 2, waitedMs: 500 })).toBeUndefined();
    expect(guest.live(2, { cpuMs: 2, waitedMs: 500 })).toMatchObject({ stage: 'dhcp' });
  });

  it('is never told while a stage is awaited for which no limit is known, or nothing is', () => {
    const guest = watched();
    guest.live(40);
    expect(guest.tick('userspace')).toBeUndefined();
    expect(guest.tick(undefined)).toBeUndefined();
  });

  it('is never told where the kernel does not count its CPU time', () => {
    const guest = watched();
    guest.uncounted();
    expect(guest.live(300)).toBeUndefined();
  });
});
