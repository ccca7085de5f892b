import { describe, expect, it } from 'vitest';
import { bootRuleSchema } from '../../harness/model/boot-rule.ts';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import { startDhcp6 } from '../../harness/services/dhcp/v6/server.ts';
import { serverFaults } from '../../harness/services/faults.ts';
import {
  type Dhcp6Message,
  type Dhcp6MessageType,
  type Dhcp6Option,
  dhcp6Options,
  encodeDhcp6,
  encodeIaNa,
  optionOf,
  parseDhcp6,
  parseIaNa,
} from '../../harness/wire/codecs/dhcp6.ts';
import { createManualClock } from '../tftp/manual-clock.ts';
import { guestMac, message, network, recordingEndpoint, startRig } from './client-rig.ts';

const server = [10, 0, 2, 2];
const first = [10, 0, 2, 15];
const rules = [{ name: 'everything', file: 'boot.file' }];
const start = (...faults: object[]) =>
  startRig({ rules, faults: faults.map((fault) => ({ server: 'dhcp', ...fault })) });
const request = (options: Record<number, readonly number[] | string> = {}) =>
  message('request', { 50: first, 54: server, ...options });
const faultsIn = (events: readonly UntimedEvent[]) => events.filter(({ type }) => type === 'fault');

describe('a DHCP server with a fault', () => {
  it('sends a NAK to the request that was chosen, and the log says so', () => {
    const rig = start({ match: { message: 'request' }, of: { nth: 2 }, nak: true });
    rig.send(message('discover'));
    expect([1, 2, 3].map(() => rig.send(request())[0]?.messageType)).toEqual(['ack', 'nak', 'ack']);
    expect(faultsIn(rig.events)).toEqual([
      { source: 'dhcp', type: 'fault', fault: 0, action: 'nak', what: 'request', count: 1 },
    ]);
  });

  it('counts only requests that the fault can do something to', () => {
    const rig = start({ of: { first: 1 }, nak: true });
    expect(rig.send(message('discover'))[0]?.messageType).toBe('offer');
    expect(rig.send(request())[0]?.messageType).toBe('nak');
  });

  it('picks clients as boot rules do', () => {
    const rig = start({ match: { message: 'request', userClass: 'iPXE' }, nak: true });
    rig.send(message('discover'));
    expect(rig.send(request())[0]?.messageType).toBe('ack');
    expect(rig.send(request({ 77: 'iPXE' }))[0]?.messageType).toBe('nak');
  });

  it('leaves the first DISCOVERs without an answer', () => {
    const rig = start({ match: { message: 'discover' }, of: { first: 2 }, silent: true });
    expect([1, 2, 3].map(() => rig.send(message('discover')).length)).toEqual([0, 0, 1]);
    expect(rig.events).toContainEqual(
      expect.objectContaining({ type: 'decided', reply: null, note: expect.stringContaining('fault') }),
    );
  });

  it('answers late, and not once it is closed', () => {
    const rig = start({ delayMs: 3000 });
    expect(rig.send(message('discover'))).toEqual([]);
    expect(rig.wait(2999)).toEqual([]);
    expect(rig.wait(1)).toMatchObject([{ messageType: 'offer' }]);
    rig.send(message('discover'));
    rig.server.close();
    expect(rig.wait(10_000)).toEqual([]);
  });

  it('answers in the name of a server that is not there', () => {
    const rig = start({ match: { message: 'discover' }, otherServerId: true });
    const [offer] = rig.send(message('discover'));
    const claimed = [...(offer?.options.get(54) ?? [])];
    expect(claimed).not.toEqual(server);
    expect(rig.send(request({ 54: claimed }))).toEqual([]);
  });

  it('leases for seconds, and renews', () => {
    const rig = start({ leaseSeconds: 8 });
    rig.send(message('discover'));
    expect(rig.send(request())[0]?.options.get(51)?.readUInt32BE()).toBe(8);
    const [renewed] = rig.send(message('request', {}, { ciaddr: '10.0.2.15' }));
    expect(renewed).toMatchObject({ messageType: 'ack', yiaddr: '10.0.2.15' });
    expect(rig.send(message('release', { 54: server }, { ciaddr: '10.0.2.15' }))).toEqual([]);
    expect(faultsIn(rig.events)).toHaveLength(3);
  });

  it('offers no boot file, then one', () => {
    const rig = start({ match: { message: 'discover' }, of: { first: 1 }, withoutBootFile: true });
    const files = [1, 2].map(
      () => rig.send(message('discover')).map(({ file, options }) => [file, options.has(67)])[0],
    );
    expect(files).toEqual([
      ['', false],
      ['boot.file', true],
    ]);
  });

  it.each([{ answersFirst: true }, {}])('is joined by a second one %j, which keeps its offer', (order) => {
    const rig = start({ secondServer: { file: 'other.file', ...order } });
    const offers = rig.send(message('discover'));
    const inOrder = 'answersFirst' in order ? offers.toReversed() : offers;
    expect(inOrder).toMatchObject([
      { messageType: 'offer', yiaddr: '10.0.2.15', file: 'boot.file' },
      { messageType: 'offer', yiaddr: '10.0.2.79', file: 'other.file' },
    ]);
    const second = inOrder[1]?.options.get(54);
    const [ack, ...more] = rig.send(message('request', { 50: [10, 0, 2, 79], 54: [...(second ?? [])] }));
    expect(ack).toMatchObject({ messageType: 'ack', yiaddr: '10.0.2.79', file: 'other.file' });
    expect(more).toEqual([]);
    expect(faultsIn(rig.events)).toHaveLength(1);
  });

  it('offers an address that another host answers for', () => {
    const rig = start({ match: { message: 'discover' }, addressInUse: true });
    rig.send(message('discover'));
    expect(rig.occupied).toEqual(['10.0.2.15']);
  });

  it('occupies nothing where it gives no address', () => {
    const proxied = startRig({
      ...{ rules, network: { proxyDhcp: true }, faults: [{ server: 'dhcp', addressInUse: true }] },
    });
    proxied.send(message('discover', { 60: 'PXEClient:Arch:00000' }));
    expect(proxied.occupied).toEqual(['10.0.2.15']);
    const informed = start({ addressInUse: true });
    expect(informed.send(message('inform', {}, { ciaddr: '10.0.2.40' }))).toHaveLength(1);
    expect(informed.occupied).toEqual([]);
  });

  it('does not count clients that a rule leaves without an answer', () => {
    const rig = startRig({
      rules: [{ name: 'ignored', when: { userClass: 'iPXE' }, answer: false }, ...rules],
      faults: [{ server: 'dhcp', of: { first: 1 }, silent: true }],
    });
    expect(rig.send(message('discover', { 77: 'iPXE' }))).toEqual([]);
    expect(faultsIn(rig.events)).toEqual([]);
    expect(rig.send(message('discover'))).toEqual([]);
    expect(faultsIn(rig.events)).toHaveLength(1);
    expect(rig.send(message('discover'))).toHaveLength(1);
  });

  it('does not count messages that no server answers', () => {
    const rig = start({ of: { first: 1 }, silent: true });
    rig.send(message('release', { 54: server }, { ciaddr: '10.0.2.15' }));
    rig.send(message('request', { 50: first, 54: [10, 0, 2, 99] }));
    expect(faultsIn(rig.events)).toEqual([]);
    expect(rig.send(message('discover'))).toEqual([]);
  });

  it('does nothing in place of what is sent anyway', () => {
    const rig = start({ nak: true }, { leaseSeconds: 86_400 });
    rig.send(message('discover'));
    expect(rig.send(message('request', { 50: [10, 0, 2, 99], 54: server }))[0]?.messageType).toBe('nak');
    expect(faultsIn(rig.events)).toEqual([]);
  });

  it('is not logged where the reply cannot be sent', () => {
    const rig = startRig({
      rules: [{ name: 'too long', file: 'x'.repeat(1400) }],
      faults: [{ server: 'dhcp', reverseOptions: true, leaseSeconds: 7, otherServerId: true, delayMs: 10 }],
    });
    expect(rig.send(message('discover'))).toEqual([]);
    expect(rig.wait(10)).toEqual([]);
    expect(rig.events).toMatchObject([{ type: 'decided', reply: null }]);
  });
});

/** Codes and values as they stand in the options field. */
function written(payload: Buffer): number[] {
  const codes: number[] = [];
  for (let at = 240; payload[at] !== 255; at += payload[at] === 0 ? 1 : 2 + (payload[at + 1] as number)) {
    if (payload[at] !== 0) codes.push(payload[at] as number);
  }
  return codes;
}

describe('a reply whose options are laid out otherwise', () => {
  const [plain] = start().send(message('discover'));
  const offerWith = (fault: object, actions = 1) => {
    const rig = start(fault);
    const [offer] = rig.send(message('discover'));
    if (!offer) throw new Error('no offer');
    expect(faultsIn(rig.events)).toHaveLength(actions);
    return offer;
  };
  const sorted = (options = plain?.options) => new Map([...(options ?? [])].toSorted(([one], [other]) => one - other));

  it('has them in reverse', () => {
    const offer = offerWith({ reverseOptions: true });
    expect(written(offer.payload)).toEqual(written(plain?.payload as Buffer).toReversed());
    expect(sorted(offer.options)).toEqual(sorted());
  });

  it('has some of them twice', () => {
    const offer = offerWith({ repeatOptions: [51, 54] });
    expect(written(offer.payload).filter((code) => code === 51 || code === 54)).toHaveLength(4);
    expect(offer.options.get(51)).toHaveLength(8);
  });

  it('has long ones in parts, which are one option again when read by RFC 3396', () => {
    const offer = offerWith({ splitOptionsAt: 4 });
    expect(written(offer.payload).filter((code) => code === 67)).toHaveLength(3);
    expect(sorted(offer.options)).toEqual(sorted());
  });

  it.each(['file', 'sname', 'both'] as const)('has them in the fields for names: %s', (overload) => {
    const offer = offerWith({ overload });
    expect(offer.options.get(52)).toEqual(Buffer.of({ file: 1, sname: 2, both: 3 }[overload]));
    expect(offer.file).toBe(overload === 'sname' ? 'boot.file' : '');
    for (const [code, value] of plain?.options ?? []) expect(offer.options.get(code)).toEqual(value);
    expect(written(offer.payload)).toContain(53);
    expect(written(offer.payload).length).toBeLessThan(written(plain?.payload as Buffer).length);
  });

  it.each([576, 1500])('fills a datagram of %i bytes', (datagramBytes) => {
    const offer = offerWith({ datagramBytes });
    expect(offer.bytes + 28).toBe(datagramBytes);
    expect(sorted(offer.options)).toEqual(sorted());
  });

  it.each([{ repeatOptions: [12, 43] }, { splitOptionsAt: 200 }, { datagramBytes: 328 }])(
    'is as it would be, and the log says nothing: %j',
    (fault) => {
      const rig = startRig({
        rules: [{ name: 'long', file: 'x'.repeat(100) }],
        faults: [{ server: 'dhcp', ...fault }],
      });
      const [plainOffer] = startRig({ rules: [{ name: 'long', file: 'x'.repeat(100) }] }).send(message('discover'));
      expect(rig.send(message('discover'))[0]?.payload).toEqual(plainOffer?.payload);
      expect(faultsIn(rig.events)).toEqual([]);
    },
  );

  it('combines them', () => {
    const offer = offerWith(
      { match: { message: 'discover' }, overload: 'both', datagramBytes: 576, of: { first: 1 } },
      2,
    );
    expect(offer.bytes).toBe(548);
    for (const [code, value] of plain?.options ?? []) expect(offer.options.get(code)).toEqual(value);
  });
});

describe('a DHCPv6 server with a fault', () => {
  const clientId: Dhcp6Option = { code: dhcp6Options.clientId, data: Buffer.from('0004aabb', 'hex') };
  const association = encodeIaNa({ iaid: 1, t1Seconds: 0, t2Seconds: 0, addresses: [] });

  function start6(fault: object) {
    const { udp, deliver, taken } = recordingEndpoint();
    const events: UntimedEvent[] = [];
    const emit = (event: UntimedEvent) => void events.push(event);
    const clock = createManualClock();
    const occupied: string[] = [];
    const { ipv6 } = network;
    if (!ipv6) throw new Error('the network has no IPv6');
    startDhcp6(udp, {
      ...{
        network: { ...network, ipv6 },
        rules: [bootRuleSchema.parse(rules[0])],
        served: () => new Set(),
        emit,
        clock,
        occupy: (ip: string) => void occupied.push(ip),
      },
      faults: serverFaults('dhcp6', [faultSchema.parse({ server: 'dhcp6', ...fault })], {
        ...{ now: clock.now, hasReached: () => false, emit },
      }),
    });
    const parsed = (payload: Buffer) => {
      const reply = parseDhcp6(payload);
      if ('malformed' in reply) throw new Error(reply.malformed);
      return reply.message;
    };
    const ask = (messageType: Dhcp6MessageType, more: Dhcp6Option[] = []) => {
      const payload = encodeDhcp6({ messageType, xid: 1, options: [clientId, association, ...more] });
      return deliver(547, payload, { mac: guestMac, ip: 'fe80::1', port: 546 }).map((sent) => parsed(sent.payload));
    };
    const wait = (ms: number) => {
      clock.advance(ms);
      return taken().map((sent) => parsed(sent.payload));
    };
    return { ask, wait, events, occupied };
  }

  it('refuses with a status', () => {
    const { ask, events } = start6({ match: { message: 'solicit' }, of: { first: 1 }, status: 'unspecFail' });
    const statuses = [ask('solicit'), ask('solicit')].map(
      ([reply]) => reply && optionOf(reply, dhcp6Options.statusCode)?.readUInt16BE(),
    );
    expect(statuses).toEqual([1, undefined]);
    expect(faultsIn(events)).toMatchObject([{ source: 'dhcp', action: 'status', what: 'solicit', count: 1 }]);
  });

  it('is silent, or late', () => {
    expect(start6({ silent: true }).ask('solicit')).toEqual([]);
    const { ask, wait } = start6({ delayMs: 500 });
    expect(ask('solicit')).toEqual([]);
    expect(wait(500)).toMatchObject([{ messageType: 'advertise' }]);
  });

  it('advertises without a boot file, for seconds, in the name of another, in reverse order', () => {
    const fault = { withoutBootFile: true, leaseSeconds: 10, otherServerId: true, reverseOptions: true };
    const { ask, events } = start6(fault);
    const [reply] = ask('solicit');
    const [usual] = start6({ match: { message: 'release' }, silent: true }).ask('solicit');
    if (!reply || !usual) throw new Error('no answer');
    expect(optionOf(usual, dhcp6Options.bootFileUrl)).toBeDefined();
    expect(optionOf(reply, dhcp6Options.bootFileUrl)).toBeUndefined();
    const ia = parseIaNa(optionOf(reply, dhcp6Options.iaNa) as Buffer);
    expect(ia).toMatchObject({ t1Seconds: 5, addresses: [{ validSeconds: 10 }] });
    expect(optionOf(reply, dhcp6Options.serverId)).not.toEqual(optionOf(usual, dhcp6Options.serverId));
    expect(reply.options[0]?.code).toBe(dhcp6Options.clientId);
    expect(faultsIn(events)).toHaveLength(4);
  });

  const addressIn = (reply: Dhcp6Message | undefined) =>
    parseIaNa(optionOf(reply as Dhcp6Message, dhcp6Options.iaNa) as Buffer)?.addresses[0]?.ip;

  it('has a second server that advertises first, without preference and boot file, and keeps its offer', () => {
    const { ask, events } = start6({ secondServer: { answersFirst: true } });
    const [second, first] = ask('solicit');
    if (!first || !second) throw new Error('not two answers');
    expect([second, first].map((reply) => optionOf(reply, dhcp6Options.preference)?.[0])).toEqual([undefined, 255]);
    expect([second, first].map((reply) => optionOf(reply, dhcp6Options.bootFileUrl) !== undefined)).toEqual([
      false,
      true,
    ]);
    expect(addressIn(second)).not.toBe(addressIn(first));
    for (const chosen of [first, second]) {
      const data = optionOf(chosen, dhcp6Options.serverId) as Buffer;
      const replies = ask('request', [{ code: dhcp6Options.serverId, data }]);
      expect(replies.map(addressIn)).toEqual([addressIn(chosen)]);
      expect(optionOf(replies[0] as Dhcp6Message, dhcp6Options.serverId)).toEqual(data);
    }
    expect(faultsIn(events)).toMatchObject([{ action: 'secondServer', what: 'solicit', count: 1 }]);
  });

  it('sends options twice', () => {
    const { bootFileUrl, serverId } = dhcp6Options;
    const [reply] = start6({ repeatOptions: [bootFileUrl, serverId] }).ask('solicit');
    const codes = reply?.options.map(({ code }) => code) ?? [];
    expect(codes.filter((code) => code === bootFileUrl)).toHaveLength(2);
    expect(codes.slice(0, 2)).toEqual([serverId, serverId]);
    expect(new Set(codes).size).toBe(codes.length - 2);
  });

  it('is not logged where the client is sent the same', () => {
    const { ask, events } = start6({ repeatOptions: [23], leaseSeconds: 86_400 });
    expect(ask('solicit')).toHaveLength(1);
    expect(faultsIn(events)).toEqual([]);
  });

  it('does not count messages that get no answer', () => {
    const { ask, events } = start6({ of: { first: 1 }, silent: true });
    expect(ask('request')).toEqual([]);
    expect(faultsIn(events)).toEqual([]);
    expect(ask('solicit')).toEqual([]);
    expect(faultsIn(events)).toHaveLength(1);
    expect(ask('solicit')).toHaveLength(1);
  });

  it('offers an address that another host answers for', () => {
    const { ask, occupied } = start6({ match: { message: 'solicit' }, of: { first: 1 }, addressInUse: true });
    const [reply] = ask('solicit');
    ask('solicit');
    expect(occupied).toEqual([addressIn(reply)]);
  });
});
