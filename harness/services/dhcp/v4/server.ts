import type { Network } from '../../../model/plan.ts';
import { concerns } from '../../../model/server-faults.ts';
import { type DhcpMessage, parseDhcp } from '../../../wire/codecs/dhcp.ts';
import { createGuard } from '../../../wire/guard.ts';
import { dhcpFactsOf } from '../../../wire/sniff/dhcp-facts.ts';
import type { Datagram, UdpEndpoint, UdpPort } from '../../../wire/stack/udp-endpoint.ts';
import { createLater, guardedClock, systemClock } from '../../clock.ts';
import { type ChosenFaults, noFaults } from '../../faults.ts';
import { holds, matchRule } from '../boot-policy.ts';
import { type DhcpOptions, decisionsTo } from '../decided-events.ts';
import { createLeasePool } from '../lease-pool.ts';
import { hostsFrom, spareHost } from '../subnet.ts';
import { type Answer, answerAddressRequest, answerBootRequest, type Request, type Servers } from './answers.ts';
import { encodeReply, fileOf } from './encode-reply.ts';
import { spoilReply } from './reply-faults.ts';
import { type Client, clientOf } from './reply-options.ts';
import { createRival } from './rival.ts';

const serverPort = 67;
const bootServerPort = 4011;

function serversOf(network: Network): Servers {
  const { serverIp, guestIp, netmask } = network;
  // Clients contact a boot server at its identifier, so the address server takes another one.
  const addressServerId = network.proxyDhcp ? spareHost(guestIp, netmask, [serverIp, guestIp]) : serverIp;
  const pool = createLeasePool(hostsFrom(guestIp, netmask, [serverIp, addressServerId]));
  return { network, pool, addressServerId, bootServerId: serverIp };
}

/**
 * The DHCPv4 server of one case (RFC 2131, 2132, 4578): addresses on port 67, PXE boot servers' requests on
 * port 4011. With `network.proxyDhcp` port 67 acts as two servers: one that gives addresses only, and
 * a proxyDHCP server (PXE 2.1 §2.2) that says what to boot. Each datagram ends in a `dhcp/decided` event per
 * reply, or one that says why there is none; nothing a guest sends makes it throw.
 */
export function startDhcp(
  udp: UdpEndpoint,
  { network, rules, served, emit, faults = noFaults, clock = systemClock, occupy }: DhcpOptions<'dhcp'>,
): { close(): void } {
  const decided = decisionsTo(emit);
  const servers = serversOf(network);
  const { guestIp, netmask, serverIp } = network;
  const rival = createRival(servers);
  const absentServerId = spareHost(guestIp, netmask, [serverIp, guestIp, servers.addressServerId, rival.serverId]);
  const limits = { bootServerId: servers.bootServerId, maxPayloadBytes: udp.maxPayloadBytes };
  const later = createLater(guardedClock(clock, createGuard(emit), 'a delayed DHCP reply'));

  function receive(port: UdpPort, { from, payload }: Datagram): void {
    const parsed = parseDhcp(payload);
    if ('malformed' in parsed) {
      decided({ mac: from.mac, messageType: 'malformed' }, { note: parsed.malformed });
      return;
    }
    const { message } = parsed;
    const client = clientOf(dhcpFactsOf(message, port.port), message.options);
    const rule = message.op === 1 ? matchRule(rules, client.facts, served()) : undefined;
    const request = { message, client, rule, from, faults: faultsOf(message, client) };
    const answered = answer(port, request);
    const delayMs = 'note' in answered ? undefined : request.faults.take('delayMs');
    if (delayMs === undefined) send(port, request, answered);
    else later.call(() => send(port, request, answered), delayMs);
  }

  function faultsOf({ messageType, op }: DhcpMessage, { facts }: Client): ChosenFaults<'dhcp'> {
    return (op === 1 ? faults : noFaults).choose({
      what: messageType,
      matches: ({ message, ...client }) =>
        (message === undefined || message === messageType) && holds(client, facts, served()),
      concerns: (action) => concerns('dhcp', action, messageType),
    });
  }

  function answer(port: UdpPort, request: Request): Answer {
    if (request.message.op !== 1) return { note: 'a reply, sent to a server' };
    if (request.rule?.answer === false) return { note: 'the rule gives no answer' };
    if (request.faults.take('silent')) return { note: 'a fault of the scenario: no answer' };
    if (port.port === bootServerPort) return answerBootRequest(request, servers);
    return rival.alongside(answerAddressRequest(request, servers), request);
  }

  function send(port: UdpPort, request: Request, answered: Answer): void {
    const { message, rule } = request;
    if ('note' in answered) {
      decided(message, { rule, note: answered.note });
      return;
    }
    for (const planned of answered.replies) {
      const reply = spoilReply(planned, request, { absentServerId });
      if (reply.type !== 'nak' && request.faults.take('addressInUse')) occupy?.(reply.yiaddr);
      const payload = encodeReply(request, reply, limits);
      if (Buffer.isBuffer(payload)) port.send(payload, reply.to);
      const replied = Buffer.isBuffer(payload)
        ? { reply: reply.type, file: fileOf(reply), note: reply.note }
        : { note: payload.note };
      decided(message, { rule: reply.boot?.rule, ...replied });
    }
  }

  const ports = [serverPort, bootServerPort].map((number) => {
    const port = udp.bind(number, (datagram) => receive(port, datagram));
    return port;
  });
  return {
    close() {
      later.cancel();
      for (const port of ports) port.close();
    },
  };
}
