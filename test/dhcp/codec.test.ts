import { createRequire } from 'node:module';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type DhcpMessage, encodeDhcp, parseDhcp } from '../../harness/wire/codecs/dhcp.ts';
import { parseEncapsulated, parseUserClasses } from '../../harness/wire/codecs/dhcp-options.ts';
import { sniffDhcp } from '../../harness/wire/sniff/dhcp.ts';
import { dhcpFactsOf } from '../../harness/wire/sniff/dhcp-facts.ts';
import { capture, captureNames, guestPayloads } from './captures.ts';
import { message } from './client-rig.ts';
import { generator } from './generator.ts';

const names = captureNames('v4-');

function parsed(payload: Buffer): DhcpMessage {
  const result = parseDhcp(payload);
  if ('malformed' in result) throw new Error(result.malformed);
  return result.message;
}

function reasonOf(payload: Buffer): string {
  const result = parseDhcp(payload);
  return 'malformed' in result ? result.malformed : 'parsed';
}

/** A message with this options field, as it stands. */
function withOptions(bytes: readonly number[], change: (packet: Buffer) => void = () => undefined): Buffer {
  const packet = Buffer.concat([message('discover').subarray(0, 240), Buffer.from([...bytes])]);
  change(packet);
  return packet;
}

afterEach(() => vi.restoreAllMocks());

describe('real clients', () => {
  const facts = (name: string, index = 0) => dhcpFactsOf(parsed(guestPayloads(name)[index] as Buffer), 67);

  it('reads the iPXE ROM that SeaBIOS runs', () => {
    expect(facts('v4-seabios-ipxe-rom')).toMatchObject({
      messageType: 'discover',
      mac: '52:54:00:12:34:56',
      vendorClass: 'PXEClient:Arch:00000:UNDI:002001',
      userClass: 'iPXE',
      clientArch: 0,
      ndi: '1.2.1',
      ipxe: true,
    });
  });

  it("reads OVMF's own PXE client", () => {
    expect(facts('v4-ovmf-pxe')).toMatchObject({
      vendorClass: 'PXEClient:Arch:00007:UNDI:003000',
      clientArch: 7,
      ndi: '1.3.0',
      ipxe: false,
    });
    expect(facts('v4-ovmf-pxe')).not.toHaveProperty('userClass');
    expect(facts('v4-ovmf-pxe', 1)).toMatchObject({
      messageType: 'request',
      requestedIp: '10.0.2.15',
      serverId: '10.0.2.2',
    });
  });

  it("reads OVMF's HTTP boot client and AAVMF's PXE client", () => {
    expect(facts('v4-ovmf-http')).toMatchObject({ vendorClass: 'HTTPClient:Arch:00016:UNDI:003000', clientArch: 16 });
    expect(facts('v4-aavmf-pxe')).toMatchObject({ vendorClass: 'PXEClient:Arch:00011:UNDI:003000', clientArch: 11 });
  });

  it("reads iPXE's feature flags out of option 175", () => {
    const option = parsed(guestPayloads('v4-seabios-ipxe-rom')[0] as Buffer).options.get(175) as Buffer;
    const features = parseEncapsulated(option);
    // 177 is the NIC's bus and ids: PCI, 8086:100e, the emulated e1000; 19 says HTTP.
    expect(features?.get(177)?.toString('hex')).toBe('018086100e');
    expect(features?.get(19)?.toString('hex')).toBe('01');
  });

  it.each(names)('%s survives decoding and encoding', (name) => {
    for (const { hex } of capture(name).packets) {
      const first = parsed(Buffer.from(hex, 'hex'));
      expect(parsed(encodeDhcp(first))).toEqual(first);
    }
  });

  it.each(names)('%s becomes wire events that say who sent what', (name) => {
    const events = capture(name).packets.map(({ hex, dstPort, from }) =>
      sniffDhcp(Buffer.from(hex, 'hex'), dstPort, from),
    );
    expect(events.map((event) => event.type)).not.toContain('malformed');
    const first = events.find((event) => event.type === 'dhcp');
    expect(first).toMatchObject({ source: 'wire', from: 'guest', messageType: 'discover', port: 67 });
  });
});

describe('the dhcp package', () => {
  /** As another user of the package in this process has it. */
  const shared = createRequire(import.meta.url)('dhcp/lib/options.js') as {
    opts: Record<number, { type: string }>;
    addOption(code: number, option: { name: string; type: string }): void;
  };

  it('keeps its option table for its other users', () => {
    encodeDhcp(parsed(message('discover')));
    expect([shared.opts[1]?.type, shared.opts[12]?.type, shared.opts[175]]).toEqual(['IP', 'ASCII', undefined]);
  });

  it('may be given other options by them, which are not ours', () => {
    shared.addOption(222, { name: 'Theirs', type: 'UInt32' });
    expect(parsed(withOptions([53, 1, 1, 222, 3, 1, 2, 3, 255])).options.get(222)).toEqual(Buffer.of(1, 2, 3));
    delete shared.opts[222];
  });
});

describe('options', () => {
  it('keeps the bytes of an option nobody knows, and prints nothing', () => {
    const print = [vi.spyOn(console, 'error'), vi.spyOn(console, 'log')];
    const packet = withOptions([53, 1, 1, 222, 3, 1, 2, 3, 255]);
    expect(parsed(packet).options.get(222)).toEqual(Buffer.of(1, 2, 3));
    for (const spy of print) expect(spy).not.toHaveBeenCalled();
  });

  it('reads past pads between options', () => {
    expect(parsed(withOptions([0, 0, 0, 53, 1, 3, 0, 54, 4, 10, 0, 2, 2, 255])).messageType).toBe('request');
  });

  it('joins an option given in parts', () => {
    const packet = withOptions([67, 2, 97, 98, 53, 1, 1, 67, 1, 99, 255]);
    expect(dhcpFactsOf(parsed(packet), 67)).toMatchObject({ bootFile: 'abc', codes: [67, 53] });
  });

  it('carries an option longer than 255 bytes in both directions', () => {
    const long = 'x'.repeat(600);
    expect(dhcpFactsOf(parsed(message('offer', { 67: long })), 68).bootFile).toBe(long);
  });

  it('reads the file and sname fields as options where option 52 says so', () => {
    const packet = withOptions([53, 1, 1, 52, 1, 3, 255], (bytes) => {
      bytes.set([60, 3, 80, 88, 69, 255], 108);
      bytes.set([77, 4, 105, 80, 88, 69, 255], 44);
    });
    expect(dhcpFactsOf(parsed(packet), 67)).toMatchObject({
      vendorClass: 'PXE',
      userClass: 'iPXE',
      file: '',
      sname: '',
      codes: [53, 52, 60, 77],
    });
  });

  it('reads both forms of the user class', () => {
    expect(parseUserClasses(Buffer.from('iPXE'))).toEqual(['iPXE']);
    expect(parseUserClasses(Buffer.from('\x04iPXE\x03abc'))).toEqual(['iPXE', 'abc']);
    expect(parseUserClasses(Buffer.of())).toEqual([]);
  });

  it.each([
    ['93 of one byte', [93, 1, 7], 'clientArch'],
    ['94 of two bytes', [94, 2, 1, 2], 'ndi'],
    ['97 of its type only', [97, 1, 0], 'machineId'],
    ['50 of three bytes', [50, 3, 10, 0, 2], 'requestedIp'],
  ])('takes no fact from option %s', (_, option, fact) => {
    expect(dhcpFactsOf(parsed(withOptions([53, 1, 1, ...option, 255])), 67)).not.toHaveProperty(fact);
  });
});

describe('malformed packets', () => {
  const valid = () => withOptions([53, 1, 1, 255]);
  const changed = (at: number, value: number) => {
    const packet = valid();
    packet[at] = value;
    return packet;
  };

  it.each([
    ['cut short', valid().subarray(0, 239), '239 bytes, expected at least 240'],
    ['without a cookie', changed(236, 0), 'no DHCP magic cookie'],
    ['of another op', changed(0, 9), 'op 9, expected 1 or 2'],
    ['of another hardware', changed(2, 8), 'hardware type 1 length 8, expected Ethernet'],
    ['of plain BOOTP', withOptions([255]), 'no message type (option 53): plain BOOTP'],
    [
      'with an option past the end',
      withOptions([53, 1, 1, 60, 9, 80]),
      'option 60 in options has length 9, but only 1 left',
    ],
    ['with an option cut at its code', withOptions([53, 1, 1, 60]), 'option 60 in options has no length byte'],
    ['of an unknown type', withOptions([53, 1, 99, 255]), 'message type (option 53) is 63'],
  ])('says why a packet %s cannot be read', (_, packet, reason) => {
    expect(reasonOf(packet)).toBe(reason);
    expect(sniffDhcp(packet, 67, 'guest')).toMatchObject({ type: 'malformed', layer: 'dhcp', reason, count: 1 });
  });

  it('never throws on mutated packets of real clients', () => {
    const payloads = names.flatMap(guestPayloads);
    const random = generator(20_190_125);
    let read = 0;
    for (let round = 0; round < 6000; round++) {
      const payload = Buffer.from(payloads[round % payloads.length] as Buffer);
      for (let change = random(8); change >= 0; change--) payload[random(payload.length)] = random(256);
      const cut = random(4) === 0 ? payload.subarray(0, random(payload.length + 1)) : payload;
      const event = sniffDhcp(cut, 67, 'guest');
      if (event.type === 'dhcp') read++;
    }
    // Both outcomes must come up, or the mutations test nothing.
    expect(read).toBeGreaterThan(500);
    expect(read).toBeLessThan(5500);
  });
});

describe('encoding', () => {
  it('pads to the 300 bytes of BOOTP', () => {
    expect(message('discover')).toHaveLength(300);
  });

  it('refuses what does not fit', () => {
    expect(() => message('offer', {}, { file: 'f'.repeat(128) })).toThrow(RangeError);
    expect(() => message('offer', { 67: 'f'.repeat(1400) })).toThrow(RangeError);
  });
});
