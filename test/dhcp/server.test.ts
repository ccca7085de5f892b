import { describe, expect, it } from 'vitest';
import type { BootRuleInput } from '../../harness/model/boot-rule.ts';
import { guestPayloads } from './captures.ts';
import { guestMac, message, startRig } from './client-rig.ts';
import { generator } from './generator.ts';

const server = [10, 0, 2, 2];
const first = [10, 0, 2, 15];
const everything: BootRuleInput = { name: 'everything', file: 'boot.file' };
const text = (bytes: Buffer | undefined) => bytes?.toString('latin1');

/** DISCOVER, then REQUEST of what was offered: a bound client. */
function bind(rig: ReturnType<typeof startRig>, mac = guestMac): string {
  const offer = rig.send(message('discover', {}, { mac }))[0];
  if (!offer) throw new Error('no offer');
  const address = offer.yiaddr.split('.').map(Number);
  expect(rig.send(message('request', { 50: address, 54: server }, { mac }))[0]?.messageType).toBe('ack');
  return offer.yiaddr;
}

const nth = (index: number) => `52:54:00:00:01:${index.toString(16).padStart(2, '0')}`;

describe('leases', () => {
  it('offers the address of the plan and acknowledges it', () => {
    const rig = startRig();
    const [offer] = rig.send(message('discover'));
    expect(offer).toMatchObject({ op: 2, messageType: 'offer', yiaddr: '10.0.2.15', xid: 0x1234abcd, mac: guestMac });
    expect(offer?.options.get(54)).toEqual(Buffer.of(...server));
    expect(offer?.options.get(1)).toEqual(Buffer.of(255, 255, 255, 0));
    const [ack] = rig.send(message('request', { 50: first, 54: server }));
    expect(ack).toMatchObject({ messageType: 'ack', yiaddr: '10.0.2.15' });
    expect(ack?.options.get(51)?.readUInt32BE()).toBeGreaterThan(3600);
    expect(ack?.bytes).toBeGreaterThanOrEqual(300);
  });

  it('gives every NIC of a guest its own address, and each the same one again', () => {
    const rig = startRig();
    expect([nth(1), nth(2), nth(1)].map((mac) => rig.send(message('discover', {}, { mac }))[0]?.yiaddr)).toEqual([
      '10.0.2.15',
      '10.0.2.16',
      '10.0.2.15',
    ]);
  });

  it('goes by the hardware address, whatever a stage puts into option 61', () => {
    const rig = startRig();
    const addresses = ['firmware', 'second stage'].map((id) => rig.send(message('discover', { 61: id }))[0]?.yiaddr);
    expect(addresses).toEqual(['10.0.2.15', '10.0.2.15']);
  });

  it.each([
    ['selecting another address than was offered', { 50: [10, 0, 2, 99], 54: server }, {}],
    ['selecting without an address', { 54: server }, {}],
    ['rebooting on another network', { 50: [192, 168, 0, 4] }, {}],
    ['rebooting with an address it does not have', { 50: [10, 0, 2, 77] }, {}],
    ['renewing an address it does not have', {}, { ciaddr: '10.0.2.77' }],
  ])('refuses a client %s', (_, options, header) => {
    const rig = startRig({ rules: [everything] });
    bind(rig);
    const [nak] = rig.send(message('request', options, header));
    expect(nak).toMatchObject({
      messageType: 'nak',
      yiaddr: '0.0.0.0',
      siaddr: '0.0.0.0',
      file: '',
      to: { ip: '255.255.255.255', mac: 'ff:ff:ff:ff:ff:ff', port: 68 },
    });
    expect([...(nak?.options.keys() ?? [])]).toEqual([53, 54]);
    expect(rig.events.at(-1)).toMatchObject({ type: 'decided', reply: 'nak', file: null });
  });

  it('refuses a client that selects without ever having been offered anything', () => {
    expect(startRig().send(message('request', { 50: first, 54: server }))[0]?.messageType).toBe('nak');
  });

  it.each([
    ['rebooting', { 50: first }, {}, { ip: '10.0.2.15', mac: guestMac }],
    ['renewing', {}, { ciaddr: '10.0.2.15' }, { ip: '10.0.2.15', mac: guestMac }],
  ])('acknowledges a known client %s', (_, options, header, to) => {
    const rig = startRig();
    bind(rig);
    expect(rig.send(message('request', options, header))).toMatchObject([
      { messageType: 'ack', yiaddr: '10.0.2.15', to },
    ]);
  });

  it('is silent to a rebooting client it does not know, for another server may', () => {
    const rig = startRig();
    expect(rig.send(message('request', { 50: first }))).toEqual([]);
    expect(rig.events).toMatchObject([{ reply: null, note: 'no lease on record for 10.0.2.15' }]);
  });

  it('takes its offer back from a client that chose another server', () => {
    const rig = startRig();
    rig.send(message('discover'));
    expect(rig.send(message('request', { 50: first, 54: [10, 0, 2, 200] }))).toEqual([]);
    expect(rig.send(message('discover', {}, { mac: nth(1) }))[0]?.yiaddr).toBe('10.0.2.15');
  });

  it('withholds a declined address and offers the next', () => {
    const rig = startRig();
    bind(rig);
    expect(rig.send(message('decline', { 50: first, 54: server }))).toEqual([]);
    expect(rig.send(message('discover'))[0]?.yiaddr).toBe('10.0.2.16');
  });

  it('lets no client decline the address of another', () => {
    const rig = startRig();
    bind(rig);
    rig.send(message('decline', { 50: first, 54: server }, { mac: nth(1) }));
    expect(rig.send(message('discover'))[0]?.yiaddr).toBe('10.0.2.15');
  });

  it('gives a released address to the next client', () => {
    const rig = startRig();
    bind(rig);
    rig.send(message('release', { 54: server }, { ciaddr: '10.0.2.15' }));
    expect(rig.send(message('discover', {}, { mac: nth(1) }))[0]?.yiaddr).toBe('10.0.2.15');
  });

  it('gives a client with an address of its own everything but an address', () => {
    const rig = startRig({ rules: [everything] });
    const [ack] = rig.send(message('inform', {}, { ciaddr: '10.0.2.50' }));
    expect(ack).toMatchObject({
      messageType: 'ack',
      yiaddr: '0.0.0.0',
      ciaddr: '10.0.2.50',
      file: 'boot.file',
      to: { ip: '10.0.2.50', port: 68 },
    });
    expect(ack?.options.has(51)).toBe(false);
  });

  it('runs out of addresses with a reason, and keeps serving', () => {
    const rig = startRig({ network: { guestIp: '10.0.2.253' } });
    expect([nth(1), nth(2)].map((mac) => bind(rig, mac))).toEqual(['10.0.2.253', '10.0.2.254']);
    expect(rig.send(message('discover', {}, { mac: nth(3) }))).toEqual([]);
    expect(rig.events.at(-1)).toMatchObject({ messageType: 'discover', reply: null, note: 'no address left' });
    expect(rig.send(message('discover', {}, { mac: nth(1) }))[0]?.yiaddr).toBe('10.0.2.253');
  });

  it('keeps the lease in use when a flood of hardware addresses takes the rest', () => {
    const rig = startRig();
    bind(rig);
    for (let index = 0; index < 500; index++) {
      const mac = `02:00:00:00:${(index >> 8).toString(16).padStart(2, '0')}:${(index & 255).toString(16).padStart(2, '0')}`;
      expect(rig.send(message('discover', {}, { mac }))[0]?.yiaddr).not.toBe('10.0.2.15');
    }
    expect(rig.send(message('request', {}, { ciaddr: '10.0.2.15' }))[0]?.messageType).toBe('ack');
  });
});

describe('where replies go', () => {
  it.each([
    ['to the address offered', {}, { ip: '10.0.2.15', mac: guestMac, port: 68 }],
    ['by broadcast where asked', { broadcast: true }, { ip: '255.255.255.255', mac: 'ff:ff:ff:ff:ff:ff', port: 68 }],
    ['to a relay', { giaddr: '10.0.2.9' }, { ip: '10.0.2.9', port: 67 }],
  ])('%s', (_, header, to) => {
    expect(startRig().send(message('discover', {}, header))[0]?.to).toMatchObject(to);
  });
});

describe('boot policy', () => {
  const rules: BootRuleInput[] = [
    { name: 'script', when: { userClass: 'iPXE', served: ['snponly.efi'] }, file: 'http://10.0.2.2/boot.ipxe' },
    { name: 'http', when: { vendorClass: 'HTTPClient' }, file: 'http://10.0.2.2/boot.efi' },
    { name: 'uefi', when: { clientArch: [7, 9] }, file: 'snponly.efi' },
    {
      name: 'bios',
      when: { clientArch: [0], vendorClass: 'PXEClient', notServed: ['undionly.kpxe'] },
      file: 'undionly.kpxe',
    },
  ];
  const uefi = { 60: 'PXEClient:Arch:00007', 93: [0, 7] };
  const ipxe = { ...uefi, 77: 'iPXE', 175: [0xb1, 1, 1] };

  it.each([
    ['a UEFI client', uefi, [], 'uefi', 'snponly.efi'],
    ['iPXE before anything was served', ipxe, [], 'uefi', 'snponly.efi'],
    ['iPXE that was served', ipxe, ['snponly.efi'], 'script', 'http://10.0.2.2/boot.ipxe'],
    ['a BIOS client', { 60: 'PXEClient', 93: [0, 0] }, [], 'bios', 'undionly.kpxe'],
    ['a BIOS client that was served', { 60: 'PXEClient', 93: [0, 0] }, ['undionly.kpxe'], null, null],
    ['an operating system', { 60: 'udhcp 1.35' }, [], null, null],
  ])('serves %s by the first rule that suits', (_, options, served, rule, file) => {
    const rig = startRig({ rules, served });
    const [offer] = rig.send(message('discover', options));
    expect(rig.events).toEqual([
      { source: 'dhcp', type: 'decided', mac: guestMac, messageType: 'discover', rule, reply: 'offer', file },
    ]);
    expect(offer?.file).toBe(file ?? '');
    expect(offer?.siaddr).toBe(file ? '10.0.2.2' : '0.0.0.0');
    expect(text(offer?.options.get(67))).toBe(file ?? undefined);
    expect(text(offer?.options.get(66))).toBe(file ? '10.0.2.2' : undefined);
  });

  it('changes its answer when the file has been served', () => {
    const rig = startRig({ rules });
    expect(rig.send(message('discover', ipxe))[0]?.file).toBe('snponly.efi');
    rig.files.add('snponly.efi');
    expect(rig.send(message('discover', ipxe))[0]?.file).toBe('http://10.0.2.2/boot.ipxe');
  });

  it('is silent where a rule says so', () => {
    const rig = startRig({ rules: [{ name: 'deaf', answer: false }] });
    expect(rig.send(message('discover'))).toEqual([]);
    expect(rig.events).toMatchObject([{ rule: 'deaf', reply: null }]);
  });

  it('puts a long URL into option 67 only', () => {
    const file = `http://10.0.2.2/${'d/'.repeat(150)}boot.efi`;
    const [offer] = startRig({ rules: [{ name: 'long', file }] }).send(message('discover', { 55: [1] }));
    expect(offer?.file).toBe('');
    expect(text(offer?.options.get(67))).toBe(file);
  });

  it('sends only what the client asks for in option 55', () => {
    const [offer] = startRig({ rules: [everything] }).send(message('discover', { 55: [1, 67] }));
    expect([...(offer?.options.keys() ?? [])]).toEqual([1, 51, 53, 54, 67]);
  });
});

describe('raw options', () => {
  const offerWith = (options: BootRuleInput['options'], type: 'discover' | 'request' = 'discover') => {
    const rig = startRig({ rules: [{ ...everything, options }] });
    const [offer] = rig.send(message('discover'));
    return type === 'discover' ? offer : rig.send(message('request', { 50: first, 54: server }))[0];
  };

  it('are set as hex, text and addresses', () => {
    const offer = offerWith([
      { code: 43, op: 'set', value: { hex: '06 01:08 ff' } },
      { code: 209, op: 'set', value: { ascii: 'tftp://10.0.2.2/cfg' } },
      { code: 6, op: 'set', value: { ip: ['10.0.2.3', '10.0.2.4'] } },
    ]);
    expect(offer?.options.get(43)).toEqual(Buffer.of(6, 1, 8, 255));
    expect(text(offer?.options.get(209))).toBe('tftp://10.0.2.2/cfg');
    expect(offer?.options.get(6)).toEqual(Buffer.of(10, 0, 2, 3, 10, 0, 2, 4));
  });

  it('add to, replace and withhold what the server sends', () => {
    const offer = offerWith([
      { code: 3, op: 'add', value: { ip: ['10.0.2.9'] } },
      { code: 67, op: 'set', value: { ascii: 'other.file' } },
      { code: 66, op: 'withhold' },
    ]);
    expect(offer?.options.get(3)).toEqual(Buffer.of(10, 0, 2, 2, 10, 0, 2, 9));
    expect(text(offer?.options.get(67))).toBe('other.file');
    expect(offer?.options.has(66)).toBe(false);
  });

  it('apply to the reply types they name', () => {
    const options: BootRuleInput['options'] = [{ code: 67, op: 'withhold', on: ['ack'] }];
    expect(offerWith(options)?.options.has(67)).toBe(true);
    expect(offerWith(options, 'request')?.options.has(67)).toBe(false);
  });

  it('too large for a frame give no reply and a reason', () => {
    const value = { hex: 'ab'.repeat(1100) };
    const rig = startRig({
      rules: [{ name: 'huge', options: [{ code: 224, op: 'set', value }] }],
      maxPayloadBytes: 1280,
    });
    expect(rig.send(message('discover'))).toEqual([]);
    expect(rig.events).toMatchObject([{ rule: 'huge', reply: null, note: expect.stringMatching(/does not fit 1280/) }]);
  });
});

describe('kinds of client, as captured', () => {
  const offerTo = (name: string, rig = startRig({ rules: [everything] })) => rig.send(guestPayloads(name)[0] as Buffer);

  it.each(['v4-ovmf-pxe', 'v4-aavmf-pxe', 'v4-seabios-ipxe-rom'])(
    '%s is offered a boot file without 60 and 43',
    (name) => {
      const [offer] = offerTo(name);
      expect(offer).toMatchObject({ file: 'boot.file', siaddr: '10.0.2.2' });
      expect(offer?.options.has(60)).toBe(false);
      expect(offer?.options.has(43)).toBe(false);
      expect(offer?.options.has(97)).toBe(true);
    },
  );

  it.each(['v4-seabios-ipxe-rom', 'v4-chain-snponly', 'v4-chain-undionly'])(
    'iPXE in %s is told not to wait for a proxy',
    (name) => {
      const discover = guestPayloads(name).findLast(
        (payload) => payload.includes('iPXE') && payload[242] === 1,
      ) as Buffer;
      const [offer] = startRig({ rules: [everything] }).send(discover);
      expect(offer?.options.get(175)).toEqual(Buffer.of(0xb0, 1, 1));
    },
  );

  it('UEFI HTTP boot gets HTTPClient back and its URI in option 67 only', () => {
    const [offer] = offerTo('v4-ovmf-http', startRig({ rules: [{ name: 'http', file: 'http://10.0.2.2/boot.efi' }] }));
    expect(text(offer?.options.get(60))).toBe('HTTPClient');
    expect(text(offer?.options.get(67))).toBe('http://10.0.2.2/boot.efi');
    expect(offer).toMatchObject({ file: '', siaddr: '0.0.0.0' });
  });

  it('plays a whole captured exchange to its acknowledgement', () => {
    const rig = startRig({ rules: [everything] });
    const types = guestPayloads('v4-ovmf-pxe').flatMap((payload) =>
      rig.send(payload).map((reply) => reply.messageType),
    );
    expect(types).toEqual(['offer', 'ack']);
  });
});

describe('proxyDHCP', () => {
  const proxied = (options: BootRuleInput['options'] = []) =>
    startRig({ network: { proxyDhcp: true }, rules: [{ ...everything, options }] });
  const discoverOf = (name: string) => guestPayloads(name)[0] as Buffer;

  it('offers an address from one server and the boot file from another', () => {
    const rig = proxied();
    const [address, proxy] = rig.send(discoverOf('v4-ovmf-pxe'));
    expect(address).toMatchObject({ yiaddr: '10.0.2.15', siaddr: '0.0.0.0', file: '' });
    for (const code of [43, 60, 66, 67, 175]) expect(address?.options.has(code)).toBe(false);
    expect(proxy).toMatchObject({ yiaddr: '0.0.0.0', siaddr: '10.0.2.2', file: 'boot.file' });
    expect(text(proxy?.options.get(60))).toBe('PXEClient');
    expect(proxy?.options.get(43)).toEqual(Buffer.of(6, 1, 8, 255));
    expect(proxy?.options.has(51)).toBe(false);
    expect(proxy?.options.get(54)).toEqual(Buffer.of(...server));
    expect(address?.options.get(54)).not.toEqual(proxy?.options.get(54));
    expect(rig.events).toMatchObject([
      { rule: null, reply: 'offer', file: null },
      { rule: 'everything', reply: 'offer', file: 'boot.file', note: 'proxyDHCP' },
    ]);
  });

  it('acknowledges an address under the identifier that offered it', () => {
    const rig = proxied();
    const id = [...(rig.send(message('discover'))[0]?.options.get(54) ?? [])];
    expect(rig.send(message('request', { 50: first, 54: id }))[0]).toMatchObject({ messageType: 'ack', file: '' });
  });

  it('sends no second offer to a client that boots nothing', () => {
    expect(proxied().send(message('discover', { 60: 'udhcp 1.35' }))).toHaveLength(1);
  });

  it('does not tell iPXE that there is no proxy', () => {
    for (const reply of proxied().send(discoverOf('v4-seabios-ipxe-rom'))) expect(reply.options.has(175)).toBe(false);
  });

  it('leaves the file to port 4011 where a rule withholds 43 from the offer', () => {
    const rig = proxied([{ code: 43, op: 'withhold', on: ['offer'] }]);
    const [, proxy] = rig.send(discoverOf('v4-ovmf-binl'));
    expect(proxy).toMatchObject({ siaddr: '10.0.2.2', file: '' });
    expect(text(proxy?.options.get(60))).toBe('PXEClient');
    expect(proxy?.options.has(67)).toBe(false);

    const request = guestPayloads('v4-ovmf-binl').at(-1) as Buffer;
    const [ack] = rig.send(request, 4011, { ip: '10.0.2.15' });
    expect(ack).toMatchObject({
      messageType: 'ack',
      yiaddr: '0.0.0.0',
      ciaddr: '10.0.2.15',
      file: 'boot.file',
      to: { ip: '10.0.2.15', mac: guestMac, port: 4011 },
    });
    expect(text(ack?.options.get(60))).toBe('PXEClient');
  });
});

describe('port 4011', () => {
  const boot = (options: Record<number, number[] | string>, rules: BootRuleInput[] = [everything]) =>
    startRig({ rules }).send(message('request', { 60: 'PXEClient', ...options }, { ciaddr: '10.0.2.15' }), 4011, {
      ip: '10.0.2.15',
      port: 68,
    });

  it('answers without a proxy too: UEFI asks there after option 60 without 43', () => {
    expect(boot({})[0]).toMatchObject({ messageType: 'ack', file: 'boot.file', to: { port: 68 } });
  });

  it('may be a rule of its own', () => {
    const rig = startRig({ rules: [{ name: 'asked there', when: { port: 4011 }, file: 'by-4011' }, everything] });
    expect(rig.send(message('discover', { 60: 'PXEClient' }))[0]?.file).toBe('boot.file');
    const request = message('request', { 60: 'PXEClient' }, { ciaddr: '10.0.2.15' });
    expect(rig.send(request, 4011, { ip: '10.0.2.15' })).toMatchObject([{ file: 'by-4011' }]);
  });

  it('gives back the boot item that was chosen', () => {
    expect(boot({ 43: [71, 4, 0, 1, 0, 0, 255] })[0]?.options.get(43)).toEqual(Buffer.of(71, 4, 0, 1, 0, 0, 255));
  });

  it('is silent to requests for another server, and where there is nothing to boot', () => {
    expect(boot({ 54: [10, 0, 2, 77] })).toEqual([]);
    expect(boot({}, [])).toEqual([]);
  });
});

describe('hostile guests', () => {
  it('drops a malformed packet with one event', () => {
    const rig = startRig();
    expect(rig.send(Buffer.from('nonsense'))).toEqual([]);
    expect(rig.events).toEqual([
      {
        source: 'dhcp',
        type: 'decided',
        mac: guestMac,
        messageType: 'malformed',
        rule: null,
        reply: null,
        file: null,
        note: '8 bytes, expected at least 240',
      },
    ]);
  });

  it('takes no replies and no server messages from a guest', () => {
    const rig = startRig();
    expect(rig.send(message('ack', {}, { op: 2 }))).toEqual([]);
    expect(rig.send(message('offer'))).toEqual([]);
    expect(rig.events).toMatchObject([{ note: 'a reply, sent to a server' }, { note: 'a client does not send offer' }]);
  });

  it('lives through mutated packets on both ports and still serves', () => {
    const rig = startRig({ rules: [everything], network: { proxyDhcp: true } });
    const payloads = ['v4-ovmf-binl', 'v4-seabios-ipxe-rom', 'v4-ovmf-http'].flatMap(guestPayloads);
    const random = generator(7);
    for (let round = 0; round < 3000; round++) {
      const payload = Buffer.from(payloads[round % payloads.length] as Buffer);
      for (let change = random(6); change >= 0; change--) payload[random(payload.length)] = random(256);
      rig.send(payload, round % 2 ? 67 : 4011);
    }
    expect(rig.events.length).toBeGreaterThanOrEqual(3000);
    expect(rig.send(message('discover', {}, { mac: nth(1) }))[0]?.messageType).toBe('offer');
  });
});

it('lets both ports go when closed', () => {
  const rig = startRig();
  expect(rig.boundPorts()).toEqual([67, 4011]);
  rig.server.close();
  expect(rig.boundPorts()).toEqual([]);
});
