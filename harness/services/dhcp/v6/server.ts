import type { BootRule } from '../../../model/boot-rule.ts';
import { tableBounds } from '../../../model/bounds.ts';
import type { Network } from '../../../model/plan.ts';
import { urlPathOf } from '../../../model/served-name.ts';
import { concerns } from '../../../model/server-faults.ts';
import { formatIpv6Address, parseIpv6Address, parseMac } from '../../../wire/codecs/addresses.ts';
import {
  type Dhcp6Message,
  type Dhcp6Option,
  dhcp6Options,
  encodeDhcp6,
  encodeIaNa,
  optionOf,
  parseDhcp6,
  statusOption,
} from '../../../wire/codecs/dhcp6.ts';
import { createGuard } from '../../../wire/guard.ts';
import { dhcp6FactsOf } from '../../../wire/sniff/dhcp6-facts.ts';
import type { Datagram, UdpEndpoint, UdpPeer } from '../../../wire/stack/udp-endpoint.ts';
import { createLater, guardedClock, systemClock } from '../../clock.ts';
import { type ChosenFaults, noFaults } from '../../faults.ts';
import { type BootClient, holds, matchRule } from '../boot-policy.ts';
import { type DhcpOptions, decisionsTo } from '../decided-events.ts';
import { createLeasePool } from '../lease-pool.ts';
import { type Decision6, decideLease6, type Server6 } from './lease-decision.ts';
import { laidOut, refusal6, spoilDecision } from './reply-faults.ts';
import { type Answer6, alongside6 } from './rival.ts';

const serverPort = 547;
const prefixBytes = 8;
/** PXE's and UEFI HTTP boot's enterprise number, Intel (RFC 5970 §3.3, UEFI §24.7.3.1). */
const bootEnterprise = 343;

/** Locally administered ones that nothing on the wire has: of a server that is not there, and of a second one. */
const absentMac = '52:54:00:fe:fe:fe';
const rivalMac = '52:54:00:fe:fe:fd';
/** The second server's addresses come so much later. */
const rivalAddressOffset = 0x1000;

type Answered = Extract<Decision6, { ias: unknown }>;

interface Request6 {
  readonly message: Dhcp6Message;
  readonly client: BootClient;
  readonly rule: BootRule | undefined;
  readonly from: UdpPeer;
  readonly faults: ChosenFaults<'dhcp6'>;
}

interface Dhcp6Network extends Network {
  readonly ipv6: NonNullable<Network['ipv6']>;
}

/**
 * The DHCPv6 server of one case (RFC 8415, boot options by RFC 5970) on port 547. Each datagram ends in one
 * `dhcp/decided` event; nothing a guest sends makes it throw. Raw options of rules apply to DHCPv4 only.
 */
export function startDhcp6(
  udp: UdpEndpoint,
  { network, rules, served, emit, faults = noFaults, clock = systemClock, occupy }: DhcpOptions<'dhcp6', Dhcp6Network>,
): { close(): void } {
  const decided = decisionsTo(emit);
  const { serverIp, guestIp, managed } = network.ipv6;
  const absentDuid = duidOf(absentMac);
  const later = createLater(guardedClock(clock, createGuard(emit), 'a delayed DHCPv6 reply'));
  const prefix = bytesOf(guestIp).subarray(0, prefixBytes);
  const poolFrom = (first: string) => createLeasePool(addressesFrom(first).filter((ip) => ip !== serverIp));
  const server: Server6 = {
    duid: duidOf(network.serverMac),
    preference: 255,
    managed,
    pool: poolFrom(guestIp),
    onLink: (ip: string) => bytesOf(ip).subarray(0, prefixBytes).equals(prefix),
  };

  const { preference: _, ...alike } = server;
  const rival: Server6 = { ...alike, duid: duidOf(rivalMac), pool: poolFrom(laterBy(guestIp, rivalAddressOffset)) };

  const port = udp.bind(serverPort, ({ from, payload }: Datagram) => {
    const parsed = parseDhcp6(payload);
    if ('malformed' in parsed) {
      decided({ mac: from.mac, messageType: 'malformed' }, { note: parsed.malformed });
      return;
    }
    const { message } = parsed;
    const asked = { mac: from.mac, messageType: message.messageType };
    const client = dhcp6FactsOf(message);
    const rule = matchRule(rules, client, served());
    if (rule?.answer === false) {
      decided(asked, { rule, note: 'the rule gives no answer' });
      return;
    }
    const request = { message, client, rule, from, faults: faultsOf(message, client) };
    if (request.faults.take('silent')) {
      decided(asked, { rule, note: 'a fault of the scenario: no answer' });
      return;
    }
    const status = request.faults.take('status');
    const decision = status ? refusal6(status, message) : decideLease6(message, from.mac, server);
    const answers = alongside6({ server, decision }, rival, { message, mac: from.mac, faults: request.faults });
    const answer = () => {
      for (const one of answers) send(request, one);
    };
    const answersAtAll = answers.some((one) => one.decision.reply !== null);
    const delayMs = answersAtAll ? request.faults.take('delayMs') : undefined;
    if (delayMs === undefined) answer();
    else later.call(answer, delayMs);
  });

  function faultsOf({ messageType }: Dhcp6Message, client: BootClient): ChosenFaults<'dhcp6'> {
    return faults.choose({
      what: messageType,
      matches: ({ message, ...when }) =>
        (message === undefined || message === messageType) && holds(when, client, served()),
      concerns: (action) => concerns('dhcp6', action, messageType),
    });
  }

  function send({ message, client, rule, from, faults: chosen }: Request6, { server, decision }: Answer6): void {
    const asked = { mac: from.mac, messageType: message.messageType };
    if (decision.reply === null) {
      decided(asked, { rule, note: decision.note });
      return;
    }
    const spoiled = spoilDecision(decision, chosen);
    const boots = spoiled.configures && wants(message, dhcp6Options.bootFileUrl);
    const url = boots && rule?.file !== undefined ? urlOf(rule.file) : null;
    const file = url ?? undefined;
    const isHttp = client.vendorClass?.startsWith('HTTPClient') ?? false;
    const said = { ...server, ...(chosen.take('otherServerId') ? { duid: absentDuid } : {}) };
    const options = laidOut(chosen, replyOptions(message, spoiled, { url, isHttp, server: said }));
    const offered = spoiled.ias.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
    if (offered.length > 0 && chosen.take('addressInUse')) for (const ip of offered) occupy?.(ip);
    const reply = encodeDhcp6({ messageType: spoiled.reply, xid: message.xid, options });
    if (reply.length > udp.maxPayloadBytes) {
      decided(asked, { rule, file, note: `a reply of ${reply.length} bytes does not fit` });
      return;
    }
    port.send(reply, from);
    decided(asked, { rule, reply: spoiled.reply, file, note: spoiled.note });
  }

  function replyOptions(
    request: Dhcp6Message,
    decision: Answered,
    { url, isHttp, server: { duid, preference } }: { url: string | null; isHttp: boolean; server: Server6 },
  ): Dhcp6Option[] {
    const options: Dhcp6Option[] = [{ code: dhcp6Options.serverId, data: duid }, ...decision.ias.map(encodeIaNa)];
    if (decision.reply === 'advertise' && preference !== undefined)
      options.push({ code: dhcp6Options.preference, data: Buffer.of(preference) });
    if (decision.rapidCommit) options.push({ code: dhcp6Options.rapidCommit, data: Buffer.alloc(0) });
    if (decision.status !== undefined) options.push(statusOption(decision.status));
    if (url !== null) {
      options.push({ code: dhcp6Options.bootFileUrl, data: Buffer.from(url) });
      // UEFI takes a URL for HTTP boot only with this class; PXE's class would send it to a boot server.
      if (isHttp) options.push({ code: dhcp6Options.vendorClass, data: httpClass() });
    }
    // Last, with a leading zero byte: OVMF reads the URL before it as a C string.
    const clientId = optionOf(request, dhcp6Options.clientId);
    if (clientId) options.push({ code: dhcp6Options.clientId, data: clientId });
    return options;
  }

  /** A served name becomes a TFTP URL: option 59 must be a URL (RFC 5970 §3.1). */
  function urlOf(file: string): string {
    return /^[a-z][a-z0-9+.-]*:/i.test(file) ? file : `tftp://[${serverIp}]/${urlPathOf(file)}`;
  }

  return {
    close() {
      later.cancel();
      port.close();
    },
  };
}

/** Whether the client requested an option (option 6); a client without that list gets everything. */
function wants(message: Dhcp6Message, code: number): boolean {
  const requested = optionOf(message, dhcp6Options.requested);
  if (!requested) return true;
  for (let at = 0; at + 2 <= requested.length; at += 2) if (requested.readUInt16BE(at) === code) return true;
  return false;
}

/** A DUID by link-layer address (RFC 8415 §11.4). */
function duidOf(mac: string): Buffer {
  return Buffer.concat([Buffer.of(0, 3, 0, 1), parseMac(mac) ?? Buffer.alloc(6)]);
}

function httpClass(): Buffer {
  const text = Buffer.from('HTTPClient');
  return Buffer.concat([Buffer.of(0, 0, bootEnterprise >> 8, bootEnterprise & 255, 0, text.length), text]);
}

/** The address so much later, by its last 16 bits, which begin anew after the last. */
function laterBy(ip: string, offset: number): string {
  const address = bytesOf(ip);
  address.writeUInt16BE((address.readUInt16BE(14) + offset) & 0xffff, 14);
  return formatIpv6Address(address, 0);
}

/** `first` and the addresses after it, up to the end of the last 16 bits. */
function addressesFrom(first: string): string[] {
  const address = bytesOf(first);
  const start = address.readUInt16BE(14);
  const addresses: string[] = [];
  for (let low = start; low <= 0xffff && addresses.length < tableBounds.leases; low++) {
    address.writeUInt16BE(low, 14);
    addresses.push(formatIpv6Address(address, 0));
  }
  return addresses;
}

function bytesOf(ip: string): Buffer {
  return parseIpv6Address(ip) ?? Buffer.alloc(16);
}
