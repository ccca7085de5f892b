import { expect, test } from 'vitest';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import { startDhcp } from '../../harness/services/dhcp/v4/server.ts';
import { startDhcp6 } from '../../harness/services/dhcp/v6/server.ts';
import { serverFaults } from '../../harness/services/faults.ts';
import { dhcp6Options, encodeDhcp6, encodeIaNa } from '../../harness/wire/codecs/dhcp6.ts';
import { createWire } from '../../harness/wire/wire.ts';
import { guest, icmpFrame, ipv6, MemoryLink, network, udpFrame } from '../wire/frames.ts';
import { message } from './client-rig.ts';

function start(server: 'dhcp' | 'dhcp6') {
  const events: UntimedEvent[] = [];
  const emit = (event: UntimedEvent) => void events.push(event);
  const nic = new MemoryLink();
  const both = { ...network, ipv6: { ...ipv6, managed: true } };
  const wire = createWire({ network: both, nic, emit, now: () => 0 });
  const common = { rules: [], served: () => new Set<string>(), emit, occupy: wire.occupy };
  const fault = [faultSchema.parse({ server, addressInUse: true })];
  const progress = { now: () => 0, hasReached: () => false, emit };
  startDhcp(wire.udp, { ...common, network, faults: serverFaults('dhcp', fault, progress) });
  startDhcp6(wire.udp, { ...common, network: both, faults: serverFaults('dhcp6', fault, progress) });
  const faults = () => events.filter(({ type }) => type === 'fault');
  return { nic, faults };
}
const addressInUse = { source: 'dhcp', type: 'fault', fault: 0, action: 'addressInUse', count: 1 };

test('an address in use is met when its ARP probe is answered, not when it is offered', () => {
  const { nic, faults } = start('dhcp');
  const broadcast = { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' };
  nic.deliver(udpFrame({ ...guest, ip: '0.0.0.0' }, broadcast, 68, 67, message('discover')));
  expect(nic.sent).toHaveLength(1);
  expect(faults()).toEqual([]);
  // RFC 5227 §1.1: a probe has no sender address.
  nic.deliver(
    Buffer.from('ffffffffffff525400123456080600010800060400015254001234560000000000000000000' + '00a00020f', 'hex'),
  );
  expect(nic.sent.at(-1)?.toString('hex', 6, 12)).toBe('525400fefefe');
  expect(faults()).toEqual([{ ...addressInUse, what: 'discover' }]);
});

test('over IPv6, when the solicitation of duplicate address detection is', () => {
  const { nic, faults } = start('dhcp6');
  const options = [
    { code: dhcp6Options.clientId, data: Buffer.from('0004aabb', 'hex') },
    encodeIaNa({ iaid: 1, t1Seconds: 0, t2Seconds: 0, addresses: [] }),
  ];
  const all = { mac: '33:33:00:01:00:02', ip: 'ff02::1:2' };
  const payload = encodeDhcp6({ messageType: 'solicit', xid: 1, options });
  nic.deliver(udpFrame({ ...guest, ip: 'fe80::5054:ff:fe12:3456' }, all, 546, 547, payload));
  expect(nic.sent).toHaveLength(1);
  expect(faults()).toEqual([]);
  const probe = Buffer.from('8700000000000000fd00000000000000000000000000000f', 'hex');
  nic.deliver(icmpFrame({ mac: guest.mac, ip: '::' }, { mac: '33:33:ff:00:00:0f', ip: 'ff02::1:ff00:f' }, probe));
  expect(faults()).toEqual([{ ...addressInUse, what: 'solicit' }]);
});
