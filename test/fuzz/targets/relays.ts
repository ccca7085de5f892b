import assert from 'node:assert/strict';
import fc from 'fast-check';
import { linkName } from '../../../harness/services/relay/dhcp-relay.ts';
import { relayV4 } from '../../../harness/services/relay/v4-messages.ts';
import { relayV6 } from '../../../harness/services/relay/v6-messages.ts';
import { formatIpv6Address, parseIpv6Address } from '../../../harness/wire/codecs/addresses.ts';
import { encodeDhcp, parseDhcp } from '../../../harness/wire/codecs/dhcp.ts';
import { encodeDhcp6, parseDhcp6 } from '../../../harness/wire/codecs/dhcp6.ts';
import { encodeRelayForward } from '../../../harness/wire/codecs/dhcp6-relay.ts';
import { bytes, ipv4, ipv6, mac, record } from '../arbitraries.ts';
import { mutated, mutation } from '../mutation.ts';
import { target } from '../target.ts';
import { dhcp6Message, dhcpMessage } from './codecs.ts';

const agentAddress = '127.0.0.77';
/** The router's option, in which an agent's loopback address is replaced, and the agent's own (RFC 3046). */
const [routerOption, agentOption] = [3, 82];
/** RFC 1542 §4.1.1. */
const mostHops = 16;

const messageOf = (payload: Buffer) => {
  const parsed = parseDhcp(payload);
  assert.ok('message' in parsed, JSON.stringify(parsed));
  return parsed.message;
};

const dhcpRelay = target({
  name: 'dhcp-relay',
  holds:
    'an agent changes nothing of a message but what is its own, relays answers to what it relayed, and no bytes make it throw',
  testRuns: 100,
  input: record({
    asked: dhcpMessage.map((message) => {
      const options = [...message.options].filter(([code]) => code !== routerOption && code !== agentOption);
      return { ...message, op: 1 as const, giaddr: '0.0.0.0', options: new Map(options) };
    }),
    hops: fc.nat(20),
    link: ipv4,
    change: mutation,
    other: bytes(400),
  }),
  check({ asked, hops, link, change, other }, count) {
    const relay = relayV4(agentAddress, link);
    const from = { mac: asked.mac, ip: '0.0.0.0', port: 68 };
    const ask = (payload: Buffer) => relay.request({ payload, from, to: { ip: '255.255.255.255', port: 67 } });
    const payload = encodeDhcp(asked);
    payload[3] = hops;
    const whole = messageOf(payload);
    const answerTo = (options: ReadonlyMap<number, Buffer>) =>
      encodeDhcp({ ...whole, op: 2, giaddr: agentAddress, options: new Map(options) });

    const request = ask(payload);
    assert.ok(request !== undefined);
    if ('refused' in request) {
      assert.ok(hops >= mostHops, request.refused);
      assert.ok('refused' in relay.reply(answerTo(whole.options)), 'an answer to what was not relayed');
    } else {
      assert.ok(hops < mostHops, `${hops} hops`);
      assert.equal(request.relayed[3], hops + 1);
      const { options, ...passed } = messageOf(request.relayed);
      const { [agentOption]: own, ...others } = Object.fromEntries(options);
      assert.ok(own?.includes(Buffer.from(linkName)));
      assert.deepEqual(others, Object.fromEntries(whole.options));
      assert.deepEqual(passed, { ...without(whole), giaddr: agentAddress });
      const reply = relay.reply(answerTo(options));
      assert.ok('relayed' in reply, JSON.stringify(reply));
      assert.deepEqual(messageOf(reply.relayed), { ...whole, op: 2, giaddr: link });
    }
    for (const bytes of [mutated(payload, change), other]) {
      const relayed = ask(bytes);
      if (relayed && 'relayed' in relayed) assert.equal(messageOf(relayed.relayed).giaddr, agentAddress);
    }
    for (const bytes of [mutated(answerTo(whole.options), change), other]) {
      const reply = relay.reply(bytes);
      if ('relayed' in reply) assert.equal(messageOf(reply.relayed).op, 2);
    }
    count(6);
  },
});

/** All of a message but its options. */
const without = ({ options: _, ...message }: ReturnType<typeof messageOf>) => message;

const fromServers: readonly string[] = ['advertise', 'reply', 'reconfigure'];

const dhcp6Relay = target({
  name: 'dhcp6-relay',
  holds:
    'a message is the same after a relay agent and back, only answers to what was relayed come back, and no bytes make it throw',
  testRuns: 100,
  input: record({
    asked: dhcp6Message,
    answer: record({ messageType: fc.constantFrom('advertise' as const, 'reply' as const), options: bytes(40) }),
    peer: ipv6.map((ip) => formatIpv6Address(parseIpv6Address(ip) as Buffer, 0)),
    otherPeer: ipv6.map((ip) => formatIpv6Address(parseIpv6Address(ip) as Buffer, 0)),
    ...{ link: ipv6, mac, change: mutation, other: bytes(200) },
  }),
  check({ asked, answer, peer, otherPeer, link, mac, change, other }, count) {
    const relay = relayV6(link);
    const ask = (payload: Buffer) =>
      relay.request({ payload, from: { mac, ip: peer, port: 546 }, to: { ip: 'ff02::1:2', port: 547 } });
    const agent = { linkAddress: link, interfaceId: linkName };
    const answered = (xid: number, to: string) => {
      const options = [{ code: 59, data: answer.options }];
      const message = encodeDhcp6({ messageType: answer.messageType, xid, options });
      // A Relay-reply differs in its type only (RFC 8415 §19.3).
      const reply = encodeRelayForward(message, to, agent);
      reply[0] = 13;
      return { message, reply };
    };
    const { message, reply } = answered(asked.xid, peer);
    assert.ok('refused' in relay.reply(reply), 'an answer to what was not relayed');

    const payload = encodeDhcp6(asked);
    const request = ask(payload);
    assert.ok(request !== undefined);
    assert.equal('refused' in request, fromServers.includes(asked.messageType));
    if ('relayed' in request) {
      assert.ok(request.relayed.subarray(-payload.length).equals(payload));
      assert.deepEqual(relay.reply(reply), { relayed: message, to: { mac, ip: peer, port: 546 } });
      assert.ok(otherPeer === peer || 'refused' in relay.reply(answered(asked.xid, otherPeer).reply));
    }
    for (const bytes of [mutated(payload, change), other]) ask(bytes);
    for (const bytes of [mutated(reply, change), other]) {
      const passed = relay.reply(bytes);
      if ('relayed' in passed) assert.ok('message' in parseDhcp6(passed.relayed));
    }
    count(7);
  },
});

export const relays = [dhcpRelay, dhcp6Relay];
