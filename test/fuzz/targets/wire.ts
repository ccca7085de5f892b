import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Fault, faultSchema } from '../../../harness/model/faults.ts';
import { createInjector } from '../../../harness/wire/faults/injector.ts';
import { createManualClock } from '../../tftp/manual-clock.ts';
import { record } from '../arbitraries.ts';
import { mutatedFrame, mutation, noise } from '../mutation.ts';
import { type RecordedFrame, recordings } from '../recorded.ts';
import { checkEvent, startFuzzedWire } from '../rig.ts';
import { target } from '../target.ts';

const recorded = recordings.flat();

const mutatedRecorded = fc
  .tuple(fc.constantFrom(...recorded), mutation)
  .map(([{ from, frame }, change]): RecordedFrame => ({ from, frame: mutatedFrame(frame, change) }));
const unmutated = fc.constantFrom(...recorded);
const nonsense = fc
  .tuple(fc.nat(), fc.integer({ min: 14, max: 1600 }))
  .map(([seed, length]): RecordedFrame => ({ from: seed % 4 === 0 ? 'server' : 'guest', frame: noise(seed, length) }));
const anyFrame = fc.oneof(
  { weight: 8, arbitrary: mutatedRecorded },
  { weight: 2, arbitrary: unmutated },
  { weight: 1, arbitrary: nonsense },
);

/** A conversation that is a real one up to a point. */
const conversation = record({
  beginning: fc.tuple(fc.constantFrom(...recordings), fc.nat(60)).map(([frames, count]) => frames.slice(0, count)),
  rest: fc.array(
    fc.tuple(anyFrame, fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(9000) })),
    {
      minLength: 1,
      maxLength: 120,
      size: 'max',
    },
  ),
});

/** Files are looked up by promises. */
const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 6; turns++) await undefined;
};

/** The most that one datagram or timeout may cause: a window of each transfer. */
const mostPerFrame = 16 * 64;

const wire = target({
  name: 'wire',
  holds:
    'frames that are mutated ones of real boots, or noise, make nothing throw, and only whole answers and listed segments leave',
  testRuns: 30,
  input: conversation,
  async check({ beginning, rest }, count) {
    const rig = startFuzzedWire();
    for (const frame of beginning) {
      rig.arrive(frame);
      await settle();
    }
    for (const [frame, waitMs] of rest) {
      const before = rig.framesSent();
      rig.arrive(frame);
      await settle();
      assert.ok(rig.framesSent() - before <= mostPerFrame, `${rig.framesSent() - before} frames for one`);
      if (waitMs > 0) rig.clock.advance(waitMs);
    }
    await rig.close();
    count(rest.length);
  },
});

const choice = fc.oneof(
  fc.double({ min: 0.01, max: 1, noNaN: true }),
  fc.integer({ min: 1, max: 20 }).chain((n) => fc.constantFrom({ first: n }, { nth: n }, { every: n }, { after: n })),
);
const fault: fc.Arbitrary<Fault> = fc
  .record(
    {
      on: fc.constantFrom('from-guest' as const, 'to-guest' as const),
      match: fc.constantFrom(
        {},
        { protocol: 'tftp' },
        { protocol: 'dhcp' },
        { protocol: 'tcp' },
        { protocol: 'arp' },
        { name: '*.ipxe' },
      ),
      seed: fc.nat(),
      drop: choice,
      duplicate: choice,
      corrupt: choice,
      truncate: record({ bytes: fc.integer({ min: 14, max: 200 }), of: choice }),
      mtu: fc.integer({ min: 68, max: 1500 }),
      mendChecksum: fc.constant(true as const),
      reorder: choice,
      delayMs: fc.oneof(fc.integer({ min: 1, max: 500 }), fc.constant([0, 500])),
      bytesPerSecond: fc.integer({ min: 100, max: 1_000_000 }),
    },
    { requiredKeys: ['seed'], noNullPrototype: true },
  )
  .map((fields) => faultSchema.safeParse(fields))
  .filter(({ success }) => success)
  .map(({ data }) => data as Fault);

/** In which a full queue empties. */
const longestMs = 10_000_000;

const faults = target({
  name: 'faults',
  holds: 'the same faults with the same seed do the same to the same frames, and make nothing throw',
  testRuns: 30,
  input: record({
    faults: fc.array(fault, { minLength: 1, maxLength: 3 }),
    frames: fc.array(fc.tuple(anyFrame, fc.nat(300)), { maxLength: 60, size: 'max' }),
  }),
  check({ faults, frames }, count) {
    const once = (): string[] => {
      const delivered: string[] = [];
      const clock = createManualClock();
      const options = { emit: checkEvent, now: clock.now, setTimer: clock.setTimer, hasReached: () => false };
      const injector = createInjector(faults, options);
      for (const [{ from, frame }, waitMs] of frames) {
        const direction = from === 'guest' ? 'from-guest' : 'to-guest';
        injector.faults?.(Buffer.from(frame), direction, (arrived) => void delivered.push(arrived.toString('hex')));
        clock.advance(waitMs);
      }
      clock.advance(longestMs);
      injector[Symbol.dispose]();
      return delivered;
    };
    assert.deepEqual(once(), once());
    count(frames.length);
  },
});

export const wires = [wire, faults];
