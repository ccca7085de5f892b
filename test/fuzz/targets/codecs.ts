import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dhcpMessageTypes } from '../../../harness/model/boot-rule.ts';
import { nameOf, parseName, parseTarget, urlPathOf } from '../../../harness/model/served-name.ts';
import { parseRange } from '../../../harness/services/http/range.ts';
import { negotiate } from '../../../harness/services/tftp/negotiate.ts';
import {
  formatIpv4Address,
  formatIpv6Address,
  formatMac,
  parseIpv4Address,
  parseIpv6Address,
  parseMac,
} from '../../../harness/wire/codecs/addresses.ts';
import { adjustChecksum, finishChecksum, sumBytes } from '../../../harness/wire/codecs/checksum.ts';
import { encodeDhcp, parseDhcp } from '../../../harness/wire/codecs/dhcp.ts';
import { parseEncapsulated, parseUserClasses } from '../../../harness/wire/codecs/dhcp-options.ts';
import {
  dhcp6MessageTypes,
  encodeDhcp6,
  encodeIaNa,
  type IaNa,
  parseClasses,
  parseDhcp6,
  parseIaNa,
} from '../../../harness/wire/codecs/dhcp6.ts';
import { dissect } from '../../../harness/wire/codecs/packet.ts';
import { parseCall, parseReply } from '../../../harness/wire/codecs/rpc.ts';
import { encodeError, encodeOack, parseTftp } from '../../../harness/wire/codecs/tftp.ts';
import { opaque, readXdr, uint32s, words } from '../../../harness/wire/codecs/xdr.ts';
import { dhcpFactsOf } from '../../../harness/wire/sniff/dhcp-facts.ts';
import { dhcp6FactsOf } from '../../../harness/wire/sniff/dhcp6-facts.ts';
import { encodeAck, encodeData, encodeRequest } from '../../tftp/client-packets.ts';
import { tcpFrame, udpFrame } from '../../wire/frames.ts';
import { bytes, ipv4, ipv6, mac, port, record, uint32 } from '../arbitraries.ts';
import { mutated, mutation } from '../mutation.ts';
import { target } from '../target.ts';

const addresses = target({
  name: 'addresses',
  holds: 'addresses are the same after text and back, and the text is the canonical one',
  testRuns: 100,
  input: record({ mac, ipv4, ipv6, text: fc.string({ maxLength: 50 }) }),
  check({ mac, ipv4, ipv6, text }, count) {
    assert.equal(formatMac(parseMac(mac) as Buffer, 0), mac);
    assert.equal(formatIpv4Address(parseIpv4Address(ipv4) as number), ipv4);
    // Node's URL has RFC 5952 of its own.
    assert.equal(`[${formatIpv6Address(parseIpv6Address(ipv6) as Buffer, 0)}]`, new URL(`http://[${ipv6}]/`).hostname);
    for (const parse of [parseMac, parseIpv4Address, parseIpv6Address]) parse(text);
    count(4);
  },
});

/** RFC 1071, word by word. */
function plainSum(data: Buffer): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += 2) sum += ((data[at] as number) << 8) + (data[at + 1] ?? 0);
  return sum;
}

const checksums = target({
  name: 'checksums',
  holds: 'the fast sum is the plain one, and an adjusted checksum is the one made anew',
  testRuns: 100,
  input: record({ data: bytes(64, 2), at: fc.nat(), word: fc.nat(0xffff) }),
  check({ data, at, word }, count) {
    assert.equal(sumBytes(data, 0, data.length), plainSum(data));
    const even = 2 * (at % Math.floor(data.length / 2));
    const before = finishChecksum(sumBytes(data, 0, data.length));
    const adjusted = adjustChecksum(before, data.readUInt16BE(even), word);
    data.writeUInt16BE(word, even);
    const anew = finishChecksum(sumBytes(data, 0, data.length));
    // Zero has two representations (RFC 1624 §3).
    assert.equal(adjusted % 0xffff, anew % 0xffff);
    count(1);
  },
});

const end4 = record({ mac, ip: ipv4 });
const end6 = record({ mac, ip: ipv6 });

const frames = target({
  name: 'frames',
  holds: 'a UDP or TCP frame is dissected into what it was made of, and one bit of it wrong is noticed or harmless',
  testRuns: 100,
  input: record({
    ends: fc.oneof(fc.tuple(end4, end4), fc.tuple(end6, end6)),
    ports: fc.tuple(port, port),
    numbers: fc.tuple(uint32, uint32),
    payload: bytes(40),
    flipped: fc.nat(),
  }),
  check({ ends: [from, to], ports: [source, destination], numbers, payload, flipped }, count) {
    const udp = dissect(udpFrame(from, to, source, destination, payload), true);
    assert.ok(!udp.malformed && udp.kind === 'udp');
    assert.deepEqual([udp.udp.sourcePort, udp.udp.destinationPort], [source, destination]);
    assert.deepEqual(udp.frame.subarray(udp.udp.payloadStart, udp.udp.payloadEnd), payload);
    const [sequence, acknowledgment] = numbers;
    const ports = { guestPort: source, serverPort: destination };
    const made = tcpFrame({
      ...{ from: 'guest', ...ports, sequence, acknowledgment, data: payload },
      ends: { guest: from, server: to },
    });
    const tcp = dissect(made, true);
    assert.ok(!tcp.malformed && tcp.kind === 'tcp');
    assert.deepEqual([tcp.tcp.sequence, tcp.tcp.acknowledgment], numbers);
    const at = tcp.ip.payloadStart + (flipped % (made.length - tcp.ip.payloadStart));
    made[at] = (made[at] as number) ^ (1 << (flipped % 8));
    assert.ok(dissect(made, true).malformed, 'a damaged segment passes for a whole one');
    count(3);
  },
});

const dhcpOption = fc.tuple(
  fc.integer({ min: 1, max: 254 }).filter((code) => code !== 52 && code !== 53),
  bytes(300),
);
export const dhcpMessage = record({
  op: fc.constantFrom(1 as const, 2 as const),
  messageType: fc.constantFrom(...dhcpMessageTypes),
  xid: uint32,
  secs: fc.nat(0xffff),
  broadcast: fc.boolean(),
  ...{ ciaddr: ipv4, yiaddr: ipv4, siaddr: ipv4, giaddr: ipv4, mac },
  sname: fc.stringMatching(/^[a-z0-9.]{0,63}$/),
  file: fc.stringMatching(/^[a-z0-9./]{0,127}$/),
  options: fc.array(dhcpOption, { maxLength: 4 }).map((options) => new Map(options)),
});

const dhcp = target({
  name: 'dhcp',
  holds: 'a DHCP message is the same after encoding and parsing, and no bytes make the parser throw',
  testRuns: 100,
  input: record({ message: dhcpMessage, change: mutation, other: bytes(400) }),
  check({ message, change, other }, count) {
    const encoded = encodeDhcp(message);
    const parsed = parseDhcp(encoded);
    assert.ok('message' in parsed);
    const type = Buffer.of(dhcpMessageTypes.indexOf(message.messageType) + 1);
    const options = new Map([...message.options, [53, type]]);
    assert.deepEqual(parsed.message, { ...message, options });
    for (const payload of [mutated(encoded, change), other]) {
      const again = parseDhcp(payload);
      if ('message' in again) dhcpFactsOf(again.message, 67);
      parseEncapsulated(payload);
      parseUserClasses(payload);
    }
    count(3);
  },
});

export const dhcp6Message = record({
  messageType: fc.constantFrom(...dhcp6MessageTypes),
  xid: fc.nat(0xff_ffff),
  options: fc.array(record({ code: fc.integer({ min: 20, max: 0xffff }), data: bytes(40) }), { maxLength: 5 }),
});
const association = record({
  ...{ iaid: uint32, t1Seconds: uint32, t2Seconds: uint32 },
  addresses: fc.array(record({ ip: ipv6, preferredSeconds: uint32, validSeconds: uint32 }), { maxLength: 3 }),
});

const dhcp6 = target({
  name: 'dhcp6',
  holds: 'a DHCPv6 message is the same after encoding and parsing, and no bytes make the parser throw',
  testRuns: 100,
  input: record({ message: dhcp6Message, ia: association, change: mutation, other: bytes(200) }),
  check({ message, ia, change, other }, count) {
    const option = encodeIaNa(ia);
    const encoded = encodeDhcp6({ ...message, options: [...message.options, option] });
    const parsed = parseDhcp6(encoded);
    assert.ok('message' in parsed);
    assert.deepEqual(parsed.message, { ...message, options: [...message.options, option] });
    assert.deepEqual(encodeIaNa(parseIaNa(option.data) as IaNa), option);
    for (const payload of [mutated(encoded, change), other]) {
      const again = parseDhcp6(payload);
      if ('message' in again) dhcp6FactsOf(again.message);
      parseIaNa(payload);
      parseClasses(payload);
    }
    count(3);
  },
});

const tftpText = fc.stringMatching(/^[!-~]{1,20}$/);
const optionName = fc.stringMatching(/^[a-z]{1,10}$/);
const tftpOptions = fc.array(fc.tuple(optionName, tftpText), { maxLength: 5 }).map((options) => new Map(options));
const tftpRequest = record({
  kind: fc.constantFrom('rrq' as const, 'wrq' as const),
  file: tftpText,
  mode: fc.constantFrom('octet', 'netascii'),
  options: tftpOptions,
});
const asked = fc.dictionary(
  fc.constantFrom('blksize', 'tsize', 'timeout', 'windowsize'),
  fc.oneof(tftpText, fc.nat().map(String)),
);

const tftp = target({
  name: 'tftp',
  holds:
    'TFTP packets are the same after encoding and parsing, no bytes make the parser throw, and terms are within bounds',
  testRuns: 100,
  input: record({ request: tftpRequest, block: fc.nat(0xffff), data: bytes(40), change: mutation, asked }),
  check({ request, block, data, change, asked }, count) {
    const encoded = encodeRequest(request);
    assert.deepEqual(parseTftp(encoded), request);
    assert.deepEqual(parseTftp(encodeData(block, data)), { kind: 'data', block, data });
    assert.deepEqual(parseTftp(encodeAck(block)), { kind: 'ack', block });
    assert.deepEqual(parseTftp(encodeError(block, request.file)), {
      kind: 'error',
      code: block,
      message: request.file,
    });
    assert.deepEqual(parseTftp(encodeOack(request.options)), { kind: 'oack', options: request.options });
    for (const payload of [mutated(encoded, change), mutated(encodeOack(request.options), change), data])
      parseTftp(payload);
    const terms = negotiate(new Map(Object.entries(asked)), { fileBytes: block, maxBlockBytes: 1468 });
    assert.ok(terms.blockBytes >= 8 && terms.blockBytes <= 1468, `blocks of ${terms.blockBytes} bytes`);
    assert.ok(terms.windowBlocks >= 1 && terms.windowBlocks <= 64, `windows of ${terms.windowBlocks}`);
    assert.ok(terms.timeoutMs >= 1000 && terms.timeoutMs <= 255_000);
    for (const name of terms.granted.keys()) assert.ok(name in asked, `${name} was granted unasked`);
    count(9);
  },
});

const xdr = target({
  name: 'xdr',
  holds: 'XDR items are the same after encoding and reading, and no record makes a reader throw or read past its end',
  testRuns: 100,
  input: record({ number: uint32, wide: fc.maxSafeNat(), data: bytes(40), change: mutation, other: bytes(100) }),
  check({ number, wide, data, change, other }, count) {
    const encoded = Buffer.concat([uint32s(number, ...words(wide)), opaque(data), uint32s(7)]);
    const reader = readXdr(encoded);
    assert.deepEqual([reader.uint32(), reader.uint64(), reader.opaque(40), reader.uint32()], [number, wide, data, 7]);
    assert.equal(reader.short, false);
    assert.equal(reader.uint32(), 0);
    assert.equal(reader.short, true);
    const call = Buffer.concat([uint32s(number, 0, 2, 100_003, 3, 6, 0, 0, 0, 0), opaque(data)]);
    for (const record of [call, mutated(call, change), other]) {
      parseCall(record)?.args.opaque(64);
      parseReply(record)?.results.opaque(64);
    }
    count(4);
  },
});

const segment = fc.stringMatching(/^[A-Za-z0-9 ._%+-]{1,12}$/).filter((text) => text !== '.' && text !== '..');

const names = target({
  name: 'names',
  holds: 'no requested name leads out of the served tree, and a served name survives being a URL',
  testRuns: 100,
  input: record({
    segments: fc.array(segment, { minLength: 1, maxLength: 4 }),
    wild: fc.array(
      fc.oneof(fc.constantFrom('..', '.', '/', '\\', '%2e', '%2f', '%', '\0', 'http://h', '?', '#', 'a'), fc.string()),
      { maxLength: 12 },
    ),
    range: fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => `bytes=${from}-${to}`),
    ),
    fileBytes: fc.nat(),
  }),
  check({ segments, wild, range, fileBytes }, count) {
    const name = segments.join('/');
    assert.equal(parseName(name), name);
    assert.equal(parseTarget(`/${urlPathOf(name)}`), name);
    const requested = wild.join('');
    for (const parsed of [parseName(requested), parseTarget(requested)]) {
      if (typeof parsed !== 'string') continue;
      assert.ok(!parsed.startsWith('/') && !parsed.split('/').includes('..'), parsed);
      assert.ok(!/[\p{Cc}\\]/u.test(parsed) || /[\x80-\x9f]/.test(parsed), parsed);
      assert.equal(parseName(parsed), parsed, 'a name changes when it is parsed again');
    }
    nameOf(requested);
    const bounds = parseRange(range, fileBytes);
    if (typeof bounds === 'object')
      assert.ok(bounds.start >= 0 && bounds.start < bounds.end && bounds.end <= fileBytes);
    count(4);
  },
});

export const codecs = [addresses, checksums, frames, dhcp, dhcp6, tftp, xdr, names];
