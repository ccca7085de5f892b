import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Fault, faultSchema } from '../../../harness/model/faults.ts';
import { createInjector } from '../../../harness/wire/faults/injector.ts';
import { randomFrom } from '../../../harness/wire/faults/random.ts';
import { record } from '../arbitraries.ts';
import { mutatedFrame, noise, randomMutation } from '../mutation.ts';
import { type RecordedFrame, recordings } from '../recorded.ts';
import { checkEvent, startFuzzedWire } from '../rig.ts';
import { target } from '../target.ts';

const recorded = recordings.flat();

/**
 * A frame, and how long nothing follows it, all from one number: fast-check is slower at drawing a frame's edits one by one
 * than the wire is at handling it. What it shrinks is how many frames there are.
 */
function arrivalOf(seed: number): { frame: RecordedFrame; waitMs: number } {
  const random = randomFrom(seed);
  const below = (bound: number): number => Math.floor(random() * bound);
  const { from, frame } = recorded[below(recorded.length)] as RecordedFrame;
  const waitMs = random() < 0.2 ? below(9000) : 0;
  const kind = below(11);
  if (kind < 8) return { frame: { from, frame: mutatedFrame(frame, randomMutation(random)) }, waitMs };
  if (kind < 10) return { frame: { from, frame }, waitMs };
  const side = random() < 0.25 ? 'server' : 'guest';
  return { frame: { from: side, frame: noise(seed, 14 + below(1587)) }, waitMs };
}

const arrival = fc.nat(0xffff_ffff).map(arrivalOf);

/** A conversation that is a real one up to a point. */
const conversation = record({
  beginning: fc.tuple(fc.constantFrom(...recordings), fc.nat(60)).map(([frames, count]) => frames.slice(0, count)),
  rest: fc.array(arrival, { minLength: 1, maxLength: 120, size: 'max' }),
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
    for (const { frame, waitMs } of rest) {
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
/** Those that act at once: no timers. */
const fault: fc.Arbitrary<Fault> = fc
  .record(
    {
      on: fc.constantFrom('from-guest' as const, 'to-guest' as const),
      match: fc.constantFrom({}, { protocol: 'tftp' }, { protocol: 'dhcp' }, { protocol: 'tcp' }, { protocol: 'arp' }),
      seed: fc.nat(),
      drop: choice,
      duplicate: choice,
      corrupt: choice,
      truncate: record({ bytes: fc.integer({ min: 14, max: 200 }), of: choice }),
      mtu: fc.integer({ min: 68, max: 1500 }),
      mendChecksum: fc.constant(true as const),
    },
    { requiredKeys: ['seed'], noNullPrototype: true },
  )
  .map((fields) => faultSchema.safeParse(fields))
  .filter(({ success }) => success)
  .map(({ data }) => data as Fault);

const faults = target({
  name: 'faults',
  holds: 'the same faults with the same seed do the same to the same frames, and make nothing throw',
  testRuns: 30,
  input: record({
    faults: fc.array(fault, { minLength: 1, maxLength: 3 }),
    frames: fc.array(arrival, { maxLength: 60, size: 'max' }),
  }),
  check({ faults, frames }, count) {
    const once = (): string[] => {
      const delivered: string[] = [];
      const options = { emit: checkEvent, now: () => 0, hasReached: () => false };
      const injector = createInjector(faults, options);
      for (const arrived of frames) {
        const { from, frame } = arrived.frame;
        const direction = from === 'guest' ? 'from-guest' : 'to-guest';
        injector.faults?.(Buffer.from(frame), direction, (bytes) => void delivered.push(bytes.toString('hex')));
      }
      injector[Symbol.dispose]();
      return delivered;
    };
    assert.deepEqual(once(), once());
    count(frames.length);
  },
});

export const wires = [wire, faults];
