import { describe, expect, it } from 'vitest';
import { relayV6 } from '../../harness/services/relay/v6-messages.ts';
import { parseIpv6Address } from '../../harness/wire/codecs/addresses.ts';
import { encodeDhcp6, parseDhcp6 } from '../../harness/wire/codecs/dhcp6.ts';
import { guestPayloads } from '../dhcp/captures.ts';
import { startRelayRig } from './relay-rig.ts';

const client = { mac: '52:54:00:12:34:56', ip: 'fe80::5054:ff:fe12:3456', port: 546 };
const solicit = guestPayloads('v6-ovmf-pxe')[0] as Buffer;
const link = parseIpv6Address('fd00::2') as Buffer;
const peer = parseIpv6Address(client.ip) as Buffer;

const option = (code: number, data: Buffer): Buffer =>
  Buffer.concat([Buffer.of(code >> 8, code & 255, data.length >> 8, data.length & 255), data]);
const interfaceId = option(18, Buffer.from('netboot-harness'));

function xidOf(payload: Buffer): number {
  const parsed = parseDhcp6(payload);
  if ('malformed' in parsed) throw new Error(parsed.malformed);
  return parsed.message.xid;
}
const advertise = (xid = xidOf(solicit)): Buffer =>
  encodeDhcp6({ messageType: 'advertise', xid, options: [{ code: 59, data: Buffer.from('tftp://[fd00::2]/a.efi') }] });

/** As a server writes it (RFC 8415 §19.3). */
const replied = (message: Buffer, changes: { type?: number; link?: Buffer; peer?: Buffer; options?: Buffer } = {}) =>
  Buffer.concat([
    Buffer.of(changes.type ?? 13, 0),
    changes.link ?? link,
    changes.peer ?? peer,
    changes.options ?? Buffer.concat([interfaceId, option(9, message)]),
  ]);

const start = () =>
  startRelayRig({
    ...{ client, port: 547, host: '::1', listen: { type: 'udp6', address: '::1' } },
    protocolOf: () => relayV6('fd00::2'),
  });

it('a client’s message reaches the server in a Relay-forward, and its answer the client', async () => {
  const { server, wire, ask } = await start();
  ask(solicit);
  const { payload, from } = await server.next();
  // RFC 8357 §5.2: zero in the first agent's relay source port.
  const options = Buffer.concat([interfaceId, option(135, Buffer.alloc(2)), option(9, solicit)]);
  expect(payload).toEqual(Buffer.concat([Buffer.of(12, 0), link, peer, options]));
  await server.send(replied(advertise()), from);
  expect(await wire.next()).toEqual({ fromPort: 547, to: client, payload: advertise() });
});

it.each([
  ['from a server', encodeDhcp6({ messageType: 'advertise', xid: 1, options: [] }), ['a advertise, sent to a server']],
  ['of another agent', Buffer.concat([Buffer.of(12, 0), link, peer]), []],
])('a message %s is not relayed', async (_, payload, reasons) => {
  const { server, dropped, ask } = await start();
  ask(payload);
  ask(solicit);
  const first = (await server.next()).payload;
  expect(first.includes(solicit)).toBe(true);
  expect(dropped()).toEqual(reasons);
});

describe('a server’s reply', () => {
  it('that is not to what was relayed, or is none, reaches nobody', async () => {
    const { server, wire, dropped, ask } = await start();
    ask(solicit);
    const { from } = await server.next();
    const hostile = [
      replied(advertise(xidOf(solicit) ^ 1)),
      replied(advertise(), { peer: parseIpv6Address('fe80::1') as Buffer }),
      replied(advertise(), { link: parseIpv6Address('fd00::3') as Buffer }),
      replied(advertise(), { options: Buffer.concat([option(18, Buffer.from('eth1')), option(9, advertise())]) }),
      replied(advertise(), { options: interfaceId }),
      replied(advertise(), { options: Buffer.from([0, 9, 255, 255, 1]) }),
      replied(solicit),
      advertise(),
      replied(replied(advertise())),
      Buffer.alloc(0),
    ];
    for (const payload of hostile) await server.send(payload, from);
    await server.send(replied(advertise()), from);
    expect((await wire.next()).payload).toEqual(advertise());
    expect(dropped()).toEqual([
      'to a message that was not relayed (xid, peer-address)',
      'to a message that was not relayed (xid, peer-address)',
      'for another link (link-address)',
      'for another link (Interface-Id)',
      'no message in it (option 9)',
      'option 9 has length 65535, but only 1 left',
      'a solicit, from a server',
      '30 bytes, expected at least 34',
      'message type 13, expected 1 to 11',
      '0 bytes, expected at least 34',
    ]);
  });
});

it('the harness could not tell where the server answers to its own port', async () => {
  const { server, failure, ask } = await start();
  for (let asks = 0; asks < 3; asks++) ask(solicit);
  expect(await failure).toBe(
    `[::1]:${server.port} has not answered, or not where the harness could hear it: there is one loopback address, which has ` +
      `port ${server.port}, and only a server that answers to the port it is asked from (RFC 8357) is heard at any other`,
  );
});
