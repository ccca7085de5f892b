import { describe, expect, it } from 'vitest';
import { type BootRuleInput, bootRuleSchema } from '../../harness/model/boot-rule.ts';
import type { UntimedEvent } from '../../harness/model/events.ts';
import { startDhcp6 } from '../../harness/services/dhcp/v6/server.ts';
import {
  type Dhcp6Message,
  type Dhcp6MessageType,
  type Dhcp6Option,
  dhcp6Options,
  dhcp6Status,
  encodeDhcp6,
  encodeIaNa,
  optionOf,
  parseDhcp6,
  parseIaNa,
} from '../../harness/wire/codecs/dhcp6.ts';
import { sniffDhcp6 } from '../../harness/wire/sniff/dhcp6.ts';
import { dhcp6FactsOf } from '../../harness/wire/sniff/dhcp6-facts.ts';
import { capture, captureNames, guestPayloads } from './captures.ts';
import { guestMac, network, recordingEndpoint } from './client-rig.ts';
import { generator } from './generator.ts';

const names = captureNames('v6-');
const serverDuid = Buffer.from('00030001525400000002', 'hex');
const clientId: Dhcp6Option = { code: dhcp6Options.clientId, data: Buffer.from('0004aabb', 'hex') };
const serverId: Dhcp6Option = { code: dhcp6Options.serverId, data: serverDuid };
const otherServer: Dhcp6Option = { code: dhcp6Options.serverId, data: Buffer.of(0, 3, 0, 1, 9) };
const rapidCommit: Dhcp6Option = { code: dhcp6Options.rapidCommit, data: Buffer.alloc(0) };
const everything: BootRuleInput = { name: 'everything', file: 'snponly.efi' };

function parsed(payload: Buffer): Dhcp6Message {
  const result = parseDhcp6(payload);
  if ('malformed' in result) throw new Error(result.malformed);
  return result.message;
}

function message(messageType: Dhcp6MessageType, ...options: Dhcp6Option[]): Buffer {
  return encodeDhcp6({ messageType, xid: 0xabcdef, options });
}

function ia(...ips: string[]): Dhcp6Option {
  const addresses = ips.map((ip) => ({ ip, preferredSeconds: 0, validSeconds: 0 }));
  return encodeIaNa({ iaid: 7, t1Seconds: 0, t2Seconds: 0, addresses });
}

function startRig(rules: readonly BootRuleInput[] = [everything], managed = true) {
  const { udp, deliver, boundPorts } = recordingEndpoint();
  const events: UntimedEvent[] = [];
  const server = startDhcp6(udp, {
    network: { ...network, ipv6: { serverIp: 'fd00::2', guestIp: 'fd00::15', managed } },
    rules: rules.map((rule) => bootRuleSchema.parse(rule)),
    served: () => new Set(),
    emit: (event) => void events.push(event),
  });
  const send = (payload: Buffer, mac = guestMac) =>
    deliver(547, payload, { mac, ip: 'fe80::1', port: 546 }).map((sent) => ({
      ...sent,
      message: parsed(sent.payload),
    }));
  /** The reply's type, lease, statuses and URL. */
  const ask = (payload: Buffer, mac?: string) => {
    const [reply] = send(payload, mac);
    if (!reply) return null;
    const association = optionOf(reply.message, dhcp6Options.iaNa);
    const status = optionOf(reply.message, dhcp6Options.statusCode)?.readUInt16BE(0);
    const parsedIa = association && parseIaNa(association);
    return {
      type: reply.message.messageType,
      ip: parsedIa?.addresses[0]?.ip,
      status: status ?? parsedIa?.status,
      url: optionOf(reply.message, dhcp6Options.bootFileUrl)?.toString(),
    };
  };
  return { server, send, ask, events, boundPorts };
}

describe('real clients', () => {
  it('reads the PXE client of OVMF, after its own IPv6 stack has taken an address', () => {
    const facts = guestPayloads('v6-ovmf-pxe').map((payload) => dhcp6FactsOf(parsed(payload)));
    expect(facts.map(({ messageType }) => messageType)).toEqual([
      'solicit',
      'request',
      'solicit',
      'request',
      'release',
    ]);
    expect(facts[0]).not.toHaveProperty('clientArch');
    expect(facts[2]).toMatchObject({ clientArch: 7, vendorClass: 'PXEClient:Arch:00007:UNDI:003000' });
    expect(facts[3]).toMatchObject({ messageType: 'request', address: 'fd00::15' });
  });

  it('reads iPXE', () => {
    expect(dhcp6FactsOf(parsed(guestPayloads('v6-seabios-ipxe-rom')[0] as Buffer))).toMatchObject({
      messageType: 'solicit',
      clientDuid: '000400000000000000000000000000000000',
      userClass: 'iPXE',
      vendorClass: 'PXEClient:Arch:00000:UNDI:002001',
      clientArch: 0,
    });
  });

  it.each(names)('%s survives decoding and encoding, byte for byte', (name) => {
    for (const { hex, from } of capture(name).packets) {
      const payload = Buffer.from(hex, 'hex');
      expect(encodeDhcp6(parsed(payload))).toEqual(payload);
      expect(sniffDhcp6(payload, from)).toMatchObject({ source: 'wire', type: 'dhcp6', from });
    }
  });

  it.each(names)('%s is answered throughout', (name) => {
    const { ask } = startRig();
    for (const payload of guestPayloads(name)) expect(ask(payload)).toMatchObject({ type: expect.any(String) });
  });

  it('never throws on mutated packets, as sniffer or as server', () => {
    const payloads = names.flatMap(guestPayloads);
    const random = generator(8415);
    const rig = startRig();
    for (let round = 0; round < 5000; round++) {
      const payload = Buffer.from(payloads[round % payloads.length] as Buffer);
      for (let change = random(5); change >= 0; change--) payload[random(payload.length)] = random(256);
      const cut = random(4) === 0 ? payload.subarray(0, random(payload.length + 1)) : payload;
      expect(['dhcp6', 'malformed']).toContain(sniffDhcp6(cut, 'guest').type);
      rig.send(cut);
    }
    expect(rig.events).toHaveLength(5000);
    expect(rig.ask(message('information-request'))).toMatchObject({ type: 'reply' });
  });
});

describe('malformed packets', () => {
  it.each([
    ['cut in its header', '0100', '2 bytes, expected at least 4'],
    ['of a relay', '0c000000', 'message type 12, expected 1 to 11'],
    ['with an option past the end', '01abcdef00010009ff', 'option 1 has length 9, but only 1 left'],
    ['with half an option header', '01abcdef000100', '3 bytes after the last option'],
  ])('are reported with a reason: %s', (_, hex, reason) => {
    const payload = Buffer.from(hex, 'hex');
    expect(sniffDhcp6(payload, 'guest')).toMatchObject({ type: 'malformed', layer: 'dhcp6', reason });
    const rig = startRig();
    expect(rig.send(payload)).toEqual([]);
    expect(rig.events).toMatchObject([{ type: 'decided', messageType: 'malformed', note: reason }]);
  });
});

describe('leases', () => {
  it('advertises the address of the plan with the boot file, and replies with the same', () => {
    const rig = startRig();
    const url = 'tftp://[fd00::2]/snponly.efi';
    expect(rig.ask(message('solicit', clientId, ia()))).toMatchObject({ type: 'advertise', ip: 'fd00::15', url });
    expect(rig.ask(message('request', clientId, serverId, ia('fd00::15')))).toMatchObject({
      type: 'reply',
      ip: 'fd00::15',
      url,
    });
    expect(rig.events).toMatchObject([
      { messageType: 'solicit', rule: 'everything', reply: 'advertise', file: url },
      { messageType: 'request', rule: 'everything', reply: 'reply', file: url },
    ]);
  });

  it('answers to the sender, under its identifiers, and ends the wait for other servers', () => {
    const [sent] = startRig().send(message('solicit', clientId, ia()));
    expect(sent?.to).toEqual({ mac: guestMac, ip: 'fe80::1', port: 546 });
    expect(sent?.message.xid).toBe(0xabcdef);
    expect(sent?.message.options.at(-1)).toEqual(clientId);
    expect(optionOf(sent?.message as Dhcp6Message, dhcp6Options.serverId)).toEqual(serverDuid);
    expect(optionOf(sent?.message as Dhcp6Message, dhcp6Options.preference)).toEqual(Buffer.of(255));
  });

  it('commits at once where the client asks for it', () => {
    const rig = startRig();
    const [sent] = rig.send(message('solicit', clientId, rapidCommit, ia()));
    expect(sent?.message.messageType).toBe('reply');
    expect(optionOf(sent?.message as Dhcp6Message, dhcp6Options.rapidCommit)).toEqual(Buffer.alloc(0));
    expect(rig.ask(message('renew', clientId, serverId, ia('fd00::15')))).toMatchObject({ ip: 'fd00::15' });
  });

  it('gives firmware and second stage the same address though their DUIDs differ, another NIC the next', () => {
    const rig = startRig();
    const other: Dhcp6Option = { code: dhcp6Options.clientId, data: Buffer.from('0001ffff', 'hex') };
    expect(rig.ask(message('solicit', clientId, ia()))?.ip).toBe('fd00::15');
    expect(rig.ask(message('solicit', other, ia()))?.ip).toBe('fd00::15');
    expect(rig.ask(message('solicit', other, ia()), '52:54:00:00:01:01')?.ip).toBe('fd00::16');
  });

  it('keeps an address that it renewed, also when it was only offered and all others are taken', () => {
    const rig = startRig();
    rig.ask(message('solicit', clientId, ia()));
    expect(rig.ask(message('renew', clientId, serverId, ia('fd00::15')))?.ip).toBe('fd00::15');
    const others = Array.from({ length: 64 }, (_, index) => {
      const mac = `52:54:00:00:01:${index.toString(16).padStart(2, '0')}`;
      return rig.ask(message('solicit', clientId, ia()), mac)?.ip;
    });
    expect(others).not.toContain('fd00::15');
  });

  it('gives the associations of one message different addresses, or none', () => {
    const rig = startRig();
    for (let index = 0; index < 63; index++) {
      const mac = `52:54:00:00:01:${index.toString(16).padStart(2, '0')}`;
      rig.ask(message('request', clientId, serverId, ia()), mac);
    }
    const [reply] = rig.send(message('solicit', clientId, ia(), ia()));
    const given = reply?.message.options
      .filter(({ code }) => code === dhcp6Options.iaNa)
      .flatMap(({ data }) => parseIaNa(data)?.addresses.map(({ ip }) => ip));
    expect(given).toHaveLength(1);
  });

  it('renews and rebinds what it leased, and knows nothing else', () => {
    const rig = startRig();
    const unknown = { type: 'reply', ip: undefined, status: dhcp6Status.noBinding };
    expect(rig.ask(message('renew', clientId, serverId, ia('fd00::15')))).toMatchObject(unknown);
    rig.ask(message('request', clientId, serverId, ia()));
    expect(rig.ask(message('renew', clientId, serverId, ia('fd00::15')))?.ip).toBe('fd00::15');
    expect(rig.ask(message('rebind', clientId, ia('fd00::15')))?.ip).toBe('fd00::15');
  });

  it('confirms addresses of its link and no others', () => {
    const { ask } = startRig();
    expect(ask(message('confirm', clientId, ia('fd00::77')))?.status).toBe(dhcp6Status.success);
    expect(ask(message('confirm', clientId, ia('fd01::77')))?.status).toBe(dhcp6Status.notOnLink);
    expect(ask(message('confirm', clientId, ia()))).toBeNull();
  });

  it('frees what is released and withholds what is declined', () => {
    const rig = startRig();
    const take = (mac?: string) => rig.ask(message('request', clientId, serverId, ia()), mac)?.ip;
    expect(take()).toBe('fd00::15');
    expect(rig.ask(message('release', clientId, serverId, ia('fd00::15')))?.status).toBe(dhcp6Status.success);
    expect(take('52:54:00:00:01:01')).toBe('fd00::15');
    rig.ask(message('decline', clientId, serverId, ia('fd00::15')), '52:54:00:00:01:01');
    expect(take()).toBe('fd00::16');
  });

  it.each([
    ['a solicit without client identifier', message('solicit', ia())],
    ['a solicit with a server identifier', message('solicit', clientId, serverId, ia())],
    ['a request without server identifier', message('request', clientId, ia())],
    ['a request to another server', message('request', clientId, otherServer, ia())],
    ['an information-request that asks for an address', message('information-request', clientId, ia())],
    ["a server's message", message('advertise', clientId, serverId, ia())],
  ])('is silent to %s, and says why', (_, payload) => {
    const rig = startRig();
    expect(rig.send(payload)).toEqual([]);
    expect(rig.events).toMatchObject([{ reply: null, note: expect.any(String) }]);
  });

  it('has no address where router advertisements give them, and still says what to boot', () => {
    const rig = startRig([everything], false);
    expect(rig.ask(message('solicit', clientId, ia()))).toEqual({
      type: 'advertise',
      ip: undefined,
      status: dhcp6Status.noAddrsAvail,
      url: undefined,
    });
    expect(rig.ask(message('information-request', clientId))).toMatchObject({
      type: 'reply',
      ip: undefined,
      url: 'tftp://[fd00::2]/snponly.efi',
    });
  });
});

describe('what to boot', () => {
  const vendorClass = (text: string): Dhcp6Option => ({
    code: dhcp6Options.vendorClass,
    data: Buffer.concat([Buffer.of(0, 0, 1, 87, 0, text.length), Buffer.from(text)]),
  });
  const clientArch = (arch: number): Dhcp6Option => ({ code: dhcp6Options.clientArch, data: Buffer.of(0, arch) });
  const rules: BootRuleInput[] = [
    { name: 'http', when: { vendorClass: 'HTTPClient' }, file: 'http://[fd00::2]/boot.efi' },
    { name: 'arm', when: { clientArch: [11] }, file: '/arm.efi' },
    { name: 'deaf', when: { clientArch: [99] }, answer: false },
  ];

  it('follows the rules; names become TFTP URLs, URLs stay', () => {
    const { ask } = startRig(rules);
    expect(ask(message('solicit', clientId, ia(), vendorClass('HTTPClient')))?.url).toBe('http://[fd00::2]/boot.efi');
    expect(ask(message('solicit', clientId, ia(), clientArch(11)))?.url).toBe('tftp://[fd00::2]/arm.efi');
    expect(ask(message('solicit', clientId, ia()))).toMatchObject({ ip: 'fd00::15', url: undefined });
    expect(ask(message('solicit', clientId, ia(), clientArch(99)))).toBeNull();
  });

  it('gives HTTPClient back to HTTP boot, and no class to PXE', () => {
    const rig = startRig([everything]);
    const classOf = (text: string) => {
      const [sent] = rig.send(message('solicit', clientId, ia(), vendorClass(text)));
      return optionOf(sent?.message as Dhcp6Message, dhcp6Options.vendorClass);
    };
    expect(classOf('HTTPClient:Arch:00016')).toEqual(vendorClass('HTTPClient').data);
    expect(classOf('PXEClient:Arch:00007')).toBeUndefined();
  });

  it('ends the URL by a zero byte that belongs to the next option', () => {
    const [sent] = startRig().send(message('solicit', clientId, ia()));
    const payload = sent?.payload as Buffer;
    const url = Buffer.from('tftp://[fd00::2]/snponly.efi');
    expect(payload[payload.indexOf(url) + url.length]).toBe(0);
  });

  it('leaves the URL out where the client asks for other options only', () => {
    const requested = { code: dhcp6Options.requested, data: Buffer.of(0, 23) };
    expect(startRig().ask(message('solicit', clientId, requested, ia()))?.url).toBeUndefined();
  });
});

it('lets its port go when closed', () => {
  const rig = startRig();
  expect(rig.boundPorts()).toEqual([547]);
  rig.server.close();
  expect(rig.boundPorts()).toEqual([]);
});
