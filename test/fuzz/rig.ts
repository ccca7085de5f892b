import assert from 'node:assert/strict';
import { bootRuleSchema } from '../../harness/model/boot-rule.ts';
import { eventSchema, type UntimedEvent } from '../../harness/model/events.ts';
import type { Fault } from '../../harness/model/faults.ts';
import { startDhcp } from '../../harness/services/dhcp/v4/server.ts';
import { startDhcp6 } from '../../harness/services/dhcp/v6/server.ts';
import { startTftp } from '../../harness/services/tftp/server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { createInjector } from '../../harness/wire/faults/injector.ts';
import type { Link } from '../../harness/wire/stack/link.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { createManualClock } from '../tftp/manual-clock.ts';
import { checkToGuest, checkToUplink, tagOf, untagged } from './passes.ts';
import { network, type RecordedFrame } from './recorded.ts';

/** A link whose frames are checked as they leave. */
function checkedLink(check: (frame: Buffer) => void) {
  let arrived: (frame: Buffer) => void = () => {};
  const link: Link = {
    onFrame(listener) {
      arrived = listener;
    },
    onDrain() {},
    onMalformed() {},
    send(parts) {
      check(Buffer.concat(parts));
      return true;
    },
    pause() {},
    resume() {},
    close() {},
  };
  return { link, arrive: (frame: Buffer) => arrived(Buffer.from(frame)) };
}

const listedPorts: ReadonlySet<number> = new Set(network.tcp.map(({ port }) => port));

/** A fault of the harness is caught on its way and becomes an event. */
export function checkEvent(event: UntimedEvent): void {
  assert.ok(event.source !== 'run' || event.type !== 'infrastructure', JSON.stringify(event));
  const { error } = eventSchema.safeParse({ tMs: 0, ...event });
  assert.ok(
    error === undefined,
    `a log with this event could not be read: ${JSON.stringify(event)}: ${error?.message}`,
  );
}

export interface FuzzedWireOptions {
  /** Those that leave whole what they let through to the guest. */
  readonly faults?: readonly Fault[];
  readonly vlan?: number | undefined;
}

/** A wire with DHCP, DHCPv6 and TFTP of the recorded network, that checks everything it emits and sends. */
export function startFuzzedWire({ faults = [], vlan }: FuzzedWireOptions = {}) {
  const emit = checkEvent;
  const clock = createManualClock();
  const injector = createInjector(faults, { emit, ...clock, hasReached: () => false, takeLinkDown: () => {} });
  let framesSent = 0;
  let isOnVlan = false;
  const isTagged = (frame: Buffer): boolean => vlan !== undefined && tagOf(frame) === vlan;
  const nic = checkedLink((frame) => {
    framesSent++;
    if (isOnVlan) assert.ok(isTagged(frame), 'a frame without the tag of the VLAN that the guest is on');
    checkToGuest(isOnVlan ? untagged(frame) : frame);
  });
  const uplink = checkedLink((frame) => checkToUplink(frame, (port) => listedPorts.has(port)));
  const wire = createWire({
    ...{ network: { ...network, vlan }, nic: nic.link, uplink: uplink.link },
    ...{ emit, now: clock.now, faults: injector.faults },
  });
  const served = new Set<string>();
  const dhcp = {
    network,
    rules: [bootRuleSchema.parse({ name: 'all', file: 'boot.ipxe' })],
    served: () => served,
    emit,
  };
  const services = [
    startDhcp(wire.udp, dhcp),
    startDhcp6(wire.udp, dhcp),
    startTftp(wire.udp, { tree: openTree({ 'boot.ipxe': { text: 'x'.repeat(5000) } }), emit, clock }),
  ];
  return {
    clock,
    framesSent: () => framesSent,
    arrive({ from, frame }: RecordedFrame): void {
      if (from === 'guest') isOnVlan ||= isTagged(frame);
      (from === 'guest' ? nic : uplink).arrive(frame);
    },
    async close() {
      for (const service of services) service.close();
      await wire.close();
      injector[Symbol.dispose]();
    },
  };
}
