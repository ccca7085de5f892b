import { describe, expect, it, onTestFinished } from 'vitest';
import { tableBounds } from '../../harness/model/bounds.ts';
import { relayV4 } from '../../harness/services/relay/v4-messages.ts';
import { type DhcpMessage, encodeDhcp, parseDhcp } from '../../harness/wire/codecs/dhcp.ts';
import { guestPayloads } from '../dhcp/captures.ts';
import { openHostSocket } from './host-socket.ts';
import { startRelayRig } from './relay-rig.ts';

const toAll = { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255', port: 68 };
const client = { mac: '52:54:00:12:34:56', ip: '0.0.0.0', port: 68 };
const discover = guestPayloads('v4-ovmf-pxe')[0] as Buffer;
const agentOption = Buffer.from(
  `${Buffer.from('\x01\x0fnetboot-harness').toString('hex')}05040a0002020b040a0002021300`,
  'hex',
);

function parsed(payload: Buffer): DhcpMessage {
  const result = parseDhcp(payload);
  if ('malformed' in result) throw new Error(result.malformed);
  return result.message;
}

const start = (listen: Parameters<typeof openHostSocket>[0] = {}) =>
  startRelayRig({
    ...{ client, port: 67, host: '127.0.0.1', listen },
    protocolOf: ({ address }) => relayV4(address, '10.0.2.2'),
  });

type Rig = Awaited<ReturnType<typeof start>>;

/** Relays a message; the way back, and an answer to it. */
async function asked({ server, ask }: Rig) {
  ask(discover);
  const { payload, from } = await server.next();
  const request = parsed(payload);
  const offer = (changes: Partial<DhcpMessage> = {}): Buffer =>
    encodeDhcp({
      ...request,
      op: 2,
      messageType: 'offer',
      yiaddr: '10.0.2.77',
      siaddr: '10.0.2.2',
      file: 'snponly.efi',
      options: new Map([
        [54, Buffer.from([127, 0, 0, 1])],
        [82, request.options.get(82) as Buffer],
      ]),
      ...changes,
    });
  return { payload, from, request, offer };
}

describe('a client’s message', () => {
  it('reaches the server with one hop more, the agent’s address and its option; all else as it was', async () => {
    const rig = await start();
    const { payload, from, request } = await asked(rig);
    expect(from.address).toMatch(/^127\.(?!0\.0\.1$)/);
    // A server answers to the port that it listens on itself.
    expect(from.port).toBe(rig.server.port);
    expect([discover[3], payload[3]]).toEqual([0, 1]);
    const before = parsed(discover);
    const options = new Map([...before.options, [82, agentOption]]);
    expect(request).toEqual({ ...before, giaddr: from.address, options });
    expect([...request.options.keys()].at(-1)).toBe(82);
  });

  it.each([
    ['names an agent', (payload: Buffer) => payload.writeUInt32BE(0x7f00_0001, 24), 'it names a relay agent already'],
    ['has gone in circles', (payload: Buffer) => payload.writeUInt8(16, 3), 'it has passed 16 relay agents'],
    ['is a reply', (payload: Buffer) => payload.writeUInt8(2, 0), 'a reply, sent to a server'],
    [
      'has an agent option',
      (payload: Buffer) => Buffer.from([82, 3, 1, 1, 65, 255]).copy(payload, payload.lastIndexOf(255)),
      'it has an agent option (82) already',
    ],
  ])('that %s is not relayed', async (_, change, reason) => {
    const rig = await start();
    const changed = Buffer.concat([discover, Buffer.alloc(16)]);
    change(changed);
    rig.ask(changed);
    expect(rig.dropped()).toEqual([reason]);
    // The next one is the first to arrive.
    expect((await asked(rig)).request.xid).toBe(parsed(discover).xid);
  });

  it('that is not relayed is not remembered: an answer to it reaches nobody', async () => {
    const rig = await start();
    const { from, offer } = await asked(rig);
    const refused = Buffer.from(discover);
    refused.writeUInt32BE(0x0bad_f00d, 4);
    refused.writeUInt8(16, 3);
    rig.ask(refused);
    await rig.server.send(offer({ xid: 0x0bad_f00d }), from);
    await rig.server.send(offer(), from);
    expect(parsed((await rig.wire.next()).payload).xid).toBe(parsed(discover).xid);
    expect(rig.dropped().at(-1)).toBe('to a message that was not relayed (xid, chaddr)');
  });

  it('is relayed up to a bound', async () => {
    const rig = await start();
    for (let sent = 0; sent < tableBounds.relayedMessages + 4; sent++) rig.ask(discover);
    const counts = rig.events.flatMap((event) => (event.type === 'malformed' ? [event.count] : []));
    expect(rig.dropped()).toEqual(counts.map(() => 'one message too many'));
    expect(counts).toEqual([1, 2, 4]);
  });
});

describe('a server’s reply', () => {
  it.each([
    ['broadcast to a client that asks for it', true, toAll],
    ['sent to the address it gives, at the client’s MAC', false, { mac: client.mac, ip: '10.0.2.77', port: 68 }],
  ])('is %s, without the agent’s option and as long as it was', async (_, broadcast, to) => {
    const rig = await start();
    const { from, request, offer } = await asked(rig);
    const reply = offer({ broadcast });
    await rig.server.send(reply, from);
    const sent = await rig.wire.next();
    expect(sent.to).toEqual(to);
    expect(sent.payload).toHaveLength(reply.length);
    const { options, ...rest } = parsed(sent.payload);
    expect([...options.keys()]).toEqual([53, 54]);
    expect(rest).toMatchObject({ yiaddr: '10.0.2.77', siaddr: '10.0.2.2', file: 'snponly.efi', xid: request.xid });
  });

  it('that repeats an agent’s address, as dnsmasq does as the router, has the one on the client’s network there', async () => {
    const rig = await start();
    const { from, request, offer } = await asked(rig);
    const agent = Buffer.from(from.address.split('.').map(Number));
    // The second is of an agent that the server was asked by before.
    const router = Buffer.concat([agent, Buffer.from([127, 9, 8, 7]), Buffer.from([10, 0, 2, 9])]);
    const options = new Map([
      [82, request.options.get(82) as Buffer],
      [3, router],
      [6, agent],
    ]);
    await rig.server.send(offer({ options }), from);
    const sent = parsed((await rig.wire.next()).payload);
    expect(sent.giaddr).toBe('10.0.2.2');
    expect(sent.options.get(3)).toEqual(Buffer.from([10, 0, 2, 2, 10, 0, 2, 2, 10, 0, 2, 9]));
    expect(sent.options.get(6)).toEqual(agent);
  });

  it('that refuses (NAK) is broadcast', async () => {
    const rig = await start();
    const { from, offer } = await asked(rig);
    await rig.server.send(offer({ messageType: 'nak', yiaddr: '0.0.0.0', broadcast: false }), from);
    expect((await rig.wire.next()).to).toEqual(toAll);
  });

  it('that is not to what was relayed, or is no reply, reaches nobody', async () => {
    const rig = await start();
    const { from, request, offer } = await asked(rig);
    const hostile: Buffer[] = [
      offer({ xid: (request.xid + 1) % 0x1_0000_0000 }),
      offer({ mac: '52:54:00:00:00:99' }),
      offer({ giaddr: '127.0.0.1' }),
      offer({ op: 1 }),
      Buffer.from('not DHCP'),
      Buffer.alloc(0),
      Buffer.alloc(60_000, 0x63),
      Buffer.concat([offer().subarray(0, 240), Buffer.from([82, 200, 1])]),
    ];
    for (const payload of hostile) await rig.server.send(payload, from);
    await rig.server.send(offer({ yiaddr: '10.0.2.99' }), from);
    // In order: what came before it has been dropped.
    expect(parsed((await rig.wire.next()).payload).yiaddr).toBe('10.0.2.99');
    expect(rig.dropped()).toEqual([
      'to a message that was not relayed (xid, chaddr)',
      'to a message that was not relayed (xid, chaddr)',
      'for another relay agent (giaddr)',
      'a request',
      '8 bytes, expected at least 240',
      '0 bytes, expected at least 240',
      'no DHCP magic cookie',
      'option 82 in options has length 200, but only 1 left',
    ]);
  });

  it('from another port of the host reaches nobody', async () => {
    const rig = await start();
    const { from, offer } = await asked(rig);
    const stranger = await openHostSocket();
    onTestFinished(stranger.close);
    await stranger.send(offer({ yiaddr: '10.0.2.66' }), from);
    await rig.server.send(offer(), from);
    expect(parsed((await rig.wire.next()).payload).yiaddr).toBe('10.0.2.77');
  });
});

describe('the harness could not tell', () => {
  it('where nothing listens', async () => {
    const rig = await start();
    rig.server.close();
    rig.ask(discover);
    expect(await rig.failure).toBe(
      `the DHCP server at 127.0.0.1:${rig.server.port} (UDP): nothing listens there (connection refused)`,
    );
  });

  it('where the server has its port on all addresses, unless it answers to the port that it is asked from', async () => {
    const rig = await start({ address: '0.0.0.0' });
    const { from } = await asked(rig);
    expect(from.port).not.toBe(rig.server.port);
    rig.ask(discover);
    rig.ask(discover);
    expect(await rig.failure).toMatch(
      /^127\.0\.0\.1:\d+ has not answered, or not where the harness could hear it: .*\(EADDRINUSE; .*RFC 8357/,
    );
    const heard = await start({ address: '0.0.0.0' });
    const { offer, from: agent } = await asked(heard);
    await heard.server.send(offer(), agent);
    expect(parsed((await heard.wire.next()).payload).yiaddr).toBe('10.0.2.77');
  });
});
