import assert from 'node:assert/strict';
import { bootRuleSchema } from '../../harness/model/boot-rule.ts';
import { eventSchema, type UntimedEvent } from '../../harness/model/events.ts';
import { startDhcp } from '../../harness/services/dhcp/v4/server.ts';
import { startDhcp6 } from '../../harness/services/dhcp/v6/server.ts';
import { startTftp } from '../../harness/services/tftp/server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { equalsAt, parseIpv4Address, parseIpv6Address, parseMac } from '../../harness/wire/codecs/addresses.ts';
import { icmpv6Types } from '../../harness/wire/codecs/icmpv6.ts';
import { dissect } from '../../harness/wire/codecs/packet.ts';
import type { Faults } from '../../harness/wire/faults/faults.ts';
import type { Link } from '../../harness/wire/stack/link.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { createManualClock } from '../tftp/manual-clock.ts';
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

const serverMac = parseMac(network.serverMac) as Buffer;
const serverIp = parseIpv4Address(network.serverIp);
const serverIpv6 = parseIpv6Address(network.ipv6.serverIp) as Buffer;
const listedPorts: ReadonlySet<number> = new Set(network.tcp.map(({ port }) => port));

/** What the guest gets is from the server and, but for segments of QEMU's user-mode stack, which pass as they are, whole. */
function checkToGuest(frame: Buffer): void {
  assert.equal(frame.compare(serverMac, 0, 6, 6, 12), 0, 'a frame from another than the server');
  const packet = dissect(frame, false);
  if (!packet.malformed && packet.kind === 'tcp') return;
  const { malformed } = dissect(frame, true);
  assert.ok(!malformed, `the guest is sent a malformed frame: ${JSON.stringify(malformed)}`);
  assert.ok(frame.length <= 1514, `a frame of ${frame.length} bytes`);
}

/** What leaves the wire: segments to a listed port of the server, and answers to the user-mode stack's own questions. */
function checkToUplink(frame: Buffer): void {
  const packet = dissect(frame, true);
  assert.ok(!packet.malformed, `a malformed frame left the wire: ${JSON.stringify(packet.malformed)}`);
  if (packet.kind === 'arp' && packet.arp.op === 'reply') return;
  if (packet.kind === 'icmpv6' && packet.icmpv6.type === icmpv6Types.neighborAdvertisement) return;
  assert.ok(packet.kind === 'tcp', `${packet.kind} left the wire`);
  const { ip, tcp } = packet;
  const isServer =
    ip.version === 4
      ? frame.readUInt32BE(ip.destinationAt) === serverIp
      : equalsAt(frame, ip.destinationAt, serverIpv6);
  assert.ok(isServer && listedPorts.has(tcp.destinationPort), `a segment to port ${tcp.destinationPort} left the wire`);
}

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
  readonly faults?: Faults;
  readonly emit?: (event: UntimedEvent) => void;
}

/** A wire with DHCP, DHCPv6 and TFTP of the recorded network, that checks everything it emits and sends. */
export function startFuzzedWire({ faults, emit = checkEvent }: FuzzedWireOptions = {}) {
  const clock = createManualClock();
  let framesSent = 0;
  const nic = checkedLink((frame) => {
    framesSent++;
    checkToGuest(frame);
  });
  const uplink = checkedLink(checkToUplink);
  const wire = createWire({ network, nic: nic.link, uplink: uplink.link, emit, now: clock.now, faults });
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
    arrive: ({ from, frame }: RecordedFrame) => (from === 'guest' ? nic : uplink).arrive(frame),
    async close() {
      for (const service of services) service.close();
      await wire.close();
    },
  };
}
