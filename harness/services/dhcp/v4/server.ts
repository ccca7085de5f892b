import type { Network } from '../../../model/plan.ts';
import { concerns } from '../../../model/server-faults.ts';
import { parseDhcp } from '../../../wire/codecs/dhcp.ts';
import { createGuard } from '../../../wire/guard.ts';
import { dhcpFactsOf } from '../../../wire/sniff/dhcp-facts.ts';
import type { Datagram, UdpEndpoint, UdpPort } from '../../../wire/stack/udp-endpoint.ts';
import { createLater, guardedClock, systemClock } from '../../clock.ts';
import { type ChosenFaults, noFaults } from '../../faults.ts';
import { holds, matchRule } from '../boot-policy.ts';
import { type DhcpOptions, decisionsTo } from '../decided-events.ts';
import { createLeasePool } from '../lease-pool.ts';
import { hostsFrom, spareHost } from '../subnet.ts';
import {
  type Answer,
  answerAddressRequest,
  answerBootRequest,
  type Reply,
  type Request,
  type Servers,
  unset,
} from './answers.ts';
import { fileOf } from './encode-reply.ts';
import { type Prepared, prepareReply } from './reply-faults.ts';
import { clientOf } from './reply-options.ts';
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
  const ids = { bootServerId: servers.bootServerId, absentServerId };
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
    const request = { message, client, rule, from };
    const answered = answer(port, request);
    if ('note' in answered) decided(message, { rule, note: answered.note });
    else spoil(port, request, answered.replies);
  }

  /** Without any fault, so that what is not answered anyway meets none. */
  function answer(port: UdpPort, request: Request): Answer {
    if (request.message.op !== 1) return { note: 'a reply, sent to a server' };
    if (request.rule?.answer === false) return { note: 'the rule gives no answer' };
    if (port.port === bootServerPort) return answerBootRequest(request, servers);
    const first = answerAddressRequest(request, servers);
    return rival.answer(request) ?? first;
  }

  function spoil(port: UdpPort, request: Request, planned: readonly Reply[]): void {
    const chosen = faultsOf(request);
    const second = chosen.get('secondServer');
    const replies = second ? rival.alongside(planned, request, second) : planned;
    const context = { ...ids, request, faults: chosen, maxPayloadBytes: udp.maxPayloadBytes };
    const prepared = replies.map((reply) => prepareReply(reply, context));
    const isSent = prepared.some(({ payload }) => Buffer.isBuffer(payload));
    if (isSent && chosen.take('silent')) {
      decided(request.message, { rule: request.rule, note: 'a fault of the scenario: no answer' });
      return;
    }
    const delayMs = isSent ? chosen.take('delayMs') : undefined;
    const sendAll = () => {
      const sent = prepared.filter((one) => send(port, request, one, chosen));
      for (const action of new Set(sent.flatMap(({ met }) => met))) chosen.met(action);
      if (sent.some(({ planned: reply }) => !planned.includes(reply))) chosen.met('secondServer');
    };
    if (delayMs === undefined) sendAll();
    else later.call(sendAll, delayMs);
  }

  function faultsOf({ message: { messageType }, client: { facts } }: Request): ChosenFaults<'dhcp'> {
    return faults.choose({
      what: messageType,
      matches: ({ message, ...client }) =>
        (message === undefined || message === messageType) && holds(client, facts, served()),
      concerns: (action) => concerns('dhcp', action, { message: messageType, port: facts.port }),
    });
  }

  /** False if there is no datagram to send. */
  function send(
    port: UdpPort,
    { message }: Request,
    { reply, payload }: Prepared,
    chosen: ChosenFaults<'dhcp'>,
  ): boolean {
    const rule = reply.boot?.rule;
    if (!Buffer.isBuffer(payload)) {
      decided(message, { rule, note: payload.note });
      return false;
    }
    if (reply.yiaddr !== unset && chosen.get('addressInUse')) {
      occupy?.(reply.yiaddr, () => chosen.met('addressInUse'));
    }
    port.send(payload, reply.to);
    decided(message, { rule, reply: reply.type, file: fileOf(reply), note: reply.note });
    return true;
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
