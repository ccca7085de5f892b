import { parseDhcp } from '../../../wire/codecs/dhcp.ts';
import { dhcpFactsOf } from '../../../wire/sniff/dhcp-facts.ts';
import type { Datagram, UdpEndpoint, UdpPort } from '../../../wire/stack/udp-endpoint.ts';
import { matchRule } from '../boot-policy.ts';
import { type DhcpOptions, decisionsTo } from '../decided-events.ts';
import { createLeasePool } from '../lease-pool.ts';
import { hostsFrom, spareHost } from '../subnet.ts';
import { type Answer, answerAddressRequest, answerBootRequest, type Request, type Servers } from './answers.ts';
import { encodeReply, fileOf } from './encode-reply.ts';
import { clientOf } from './reply-options.ts';

const serverPort = 67;
const bootServerPort = 4011;

function serversOf(network: DhcpOptions['network']): Servers {
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
export function startDhcp(udp: UdpEndpoint, { network, rules, served, emit }: DhcpOptions): { close(): void } {
  const decided = decisionsTo(emit);
  const servers = serversOf(network);
  const limits = { bootServerId: servers.bootServerId, maxPayloadBytes: udp.maxPayloadBytes };

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
    send(port, request, answer(port, request));
  }

  function answer(port: UdpPort, request: Request): Answer {
    if (request.message.op !== 1) return { note: 'a reply, sent to a server' };
    if (request.rule?.answer === false) return { note: 'the rule gives no answer' };
    const answerTo = port.port === bootServerPort ? answerBootRequest : answerAddressRequest;
    return answerTo(request, servers);
  }

  function send(port: UdpPort, request: Request, answered: Answer): void {
    const { message, rule } = request;
    if ('note' in answered) {
      decided(message, { rule, note: answered.note });
      return;
    }
    for (const reply of answered.replies) {
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
      for (const port of ports) port.close();
    },
  };
}
