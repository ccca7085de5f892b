import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type WireFault, wireFaultSchema } from '../../../harness/model/wire-faults.ts';
import { createInjector } from '../../../harness/wire/faults/injector.ts';
import { createVlan } from '../../../harness/wire/stack/vlan.ts';
import { createManualClock } from '../../tftp/manual-clock.ts';
import { tagged } from '../../wire/frames.ts';
import { bytes, record } from '../arbitraries.ts';
import { mutated, mutatedFrame, mutation, noise } from '../mutation.ts';
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

const choice = fc.oneof(
  fc.double({ min: 0.01, max: 1, noNaN: true }),
  fc.integer({ min: 1, max: 20 }).chain((n) => fc.constantFrom({ first: n }, { nth: n }, { every: n }, { after: n })),
);
const fault: fc.Arbitrary<WireFault> = fc
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
  .map((fields) => wireFaultSchema.safeParse(fields))
  .filter(({ success }) => success)
  .map(({ data }) => data as WireFault);

/** Faults that leave whole what they let through to the guest. */
const harmless = fault.filter(
  ({ on, corrupt, truncate }) => on === 'from-guest' || (corrupt ?? truncate) === undefined,
);

const vlanId = fc.integer({ min: 1, max: 4094 });

/** A conversation that is a real one up to a point, on a network that loses and repeats, perhaps in a VLAN. */
const conversation = record({
  vlan: fc.option(vlanId, { nil: undefined }),
  faults: fc.array(harmless, { maxLength: 2 }),
  beginning: fc.tuple(fc.constantFrom(...recordings), fc.nat(60)).map(([frames, count]) => frames.slice(0, count)),
  rest: fc.array(
    record({
      sent: anyFrame,
      isTagged: fc.boolean(),
      waitMs: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(9000) }),
    }),
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
    'frames that are mutated ones of real boots, or noise, make nothing throw, with faults and in a VLAN too, and only whole answers and listed segments leave',
  testRuns: 30,
  input: conversation,
  async check({ vlan, faults, beginning, rest }, count) {
    const rig = startFuzzedWire({ vlan, faults });
    // Each fault may double a frame on its way there, and the answers on their way back.
    const most = mostPerFrame * 4 ** faults.length;
    for (const frame of beginning) {
      rig.arrive(frame);
      await settle();
    }
    for (const { sent, isTagged, waitMs } of rest) {
      const before = rig.framesSent();
      const onVlan = isTagged && vlan !== undefined && sent.from === 'guest';
      rig.arrive(onVlan ? { ...sent, frame: tagged(sent.frame, vlan) } : sent);
      await settle();
      assert.ok(rig.framesSent() - before <= most, `${rig.framesSent() - before} frames for one`);
      if (waitMs > 0) rig.clock.advance(waitMs);
    }
    await rig.close();
    count(rest.length);
  },
});

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
      const still = { hasReached: () => false, takeLinkDown: () => {} };
      const options = { emit: checkEvent, now: clock.now, setTimer: clock.setTimer, ...still };
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

const vlans = target({
  name: 'vlan',
  holds: 'what comes with the VLAN’s tag comes without it, and is answered with it; from then on nothing else comes',
  testRuns: 100,
  input: record({
    id: vlanId,
    frames: fc.array(
      record({
        frame: bytes(40, 14),
        tag: fc.option(record({ isOurs: fc.boolean(), id: vlanId, priority: fc.nat(7) }), { freq: 2 }),
        change: fc.option(mutation, { freq: 1 }),
      }),
      { maxLength: 20 },
    ),
  }),
  check({ id, frames }, count) {
    const vlan = createVlan(id);
    let isOnVlan = false;
    for (const { frame, tag, change } of frames) {
      // No tag by chance.
      frame.writeUInt16BE(0x0800, 12);
      const onLink = tag === null ? frame : tagged(frame, tag.isOurs ? id : tag.id, tag.priority);
      const isOurs = tag !== null && (tag.isOurs || tag.id === id);
      isOnVlan ||= isOurs;
      const passed: Buffer | undefined = isOnVlan ? undefined : onLink;
      assert.deepEqual(vlan.received(onLink), isOurs ? frame : passed);
      assert.deepEqual(vlan.sent(frame), isOnVlan ? tagged(frame, id) : frame);
      // A machine of its own: a damaged tag may be the VLAN's.
      if (change !== null) createVlan(id).received(mutated(onLink, change));
    }
    count(frames.length);
  },
});

export const wires = [wire, faults, vlans];
