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
import { decideLease6, type Server6 } from './lease-decision.ts';
import { type Answered, type Prepared6, prepareReply6 } from './reply-faults.ts';
import { type Answer6, alongside6, meantFor6 } from './rival.ts';

const serverPort = 547;
const prefixBytes = 8;
/** PXE's and UEFI HTTP boot's enterprise number, Intel (RFC 5970 §3.3, UEFI §24.7.3.1). */
const bootEnterprise = 343;

/** Locally administered ones that nothing on the wire has: of a server that is not there, and of a second one. */
const absentMac = '52:54:00:fe:fe:fe';
const rivalMac = '52:54:00:fe:fe:fd';
/** The second server's addresses come so much later. */
const rivalAddressOffset = 0x1000;

interface Request6 {
  readonly message: Dhcp6Message;
  readonly client: BootClient;
  readonly rule: BootRule | undefined;
  readonly from: UdpPeer;
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
    const first = { server, decision: decideLease6(message, from.mac, server) };
    const { decision, server: by } = meantFor6(rival, message, from.mac) ?? first;
    // What is not answered anyway meets no fault.
    if (decision.reply === null) decided(asked, { rule, note: decision.note });
    else spoil({ message, client, rule, from }, { decision, server: by });
  });

  function spoil(request: Request6, first: Answer6<Answered>): void {
    const { message, rule, from } = request;
    const asked = { mac: from.mac, messageType: message.messageType };
    const chosen = faultsOf(request);
    const fault = chosen.get('secondServer');
    const answers = fault ? alongside6(first, rival, { message, mac: from.mac, fault }) : [first];
    const prepared = answers.map((answer) => ({ answer, ...prepare(request, answer, chosen) }));
    const fitting = prepared.filter(({ payload }) => payload.length <= udp.maxPayloadBytes);
    if (fitting.length > 0 && chosen.take('silent')) {
      decided(asked, { rule, note: 'a fault of the scenario: no answer' });
      return;
    }
    const delayMs = fitting.length > 0 ? chosen.take('delayMs') : undefined;
    const sendAll = () => {
      for (const one of prepared) send(request, one, chosen);
      for (const action of new Set(fitting.flatMap(({ met }) => met))) chosen.met(action);
      if (fitting.some(({ answer }) => answer !== first)) chosen.met('secondServer');
    };
    if (delayMs === undefined) sendAll();
    else later.call(sendAll, delayMs);
  }

  function faultsOf({ message: { messageType }, client }: Request6): ChosenFaults<'dhcp6'> {
    return faults.choose({
      what: messageType,
      matches: ({ message, ...when }) =>
        (message === undefined || message === messageType) && holds(when, client, served()),
      concerns: (action) => concerns('dhcp6', action, { message: messageType }),
    });
  }

  /** What the rule gives to boot, if a reply is to say so and the client asks. */
  const urlFor = ({ message, rule }: Request6, { configures }: Answered): string | null =>
    configures && rule?.file !== undefined && wants(message, dhcp6Options.bootFileUrl) ? urlOf(rule.file) : null;

  function prepare(request: Request6, { decision, server: by }: Answer6<Answered>, chosen: ChosenFaults<'dhcp6'>) {
    const isHttp = request.client.vendorClass?.startsWith('HTTPClient') ?? false;
    return prepareReply6(decision, by, {
      ...{ request: request.message, faults: chosen, absentDuid },
      optionsOf: (spoiled, said) =>
        replyOptions(request.message, spoiled, { url: urlFor(request, spoiled), isHttp, server: said }),
    });
  }

  function send(request: Request6, { decision, payload }: Prepared6, chosen: ChosenFaults<'dhcp6'>): void {
    const { message, rule, from } = request;
    const asked = { mac: from.mac, messageType: message.messageType };
    const file = urlFor(request, decision) ?? undefined;
    if (payload.length > udp.maxPayloadBytes) {
      decided(asked, { rule, file, note: `a reply of ${payload.length} bytes does not fit` });
      return;
    }
    const offered = decision.ias.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
    if (chosen.get('addressInUse')) for (const ip of offered) occupy?.(ip, () => chosen.met('addressInUse'));
    port.send(payload, from);
    decided(asked, { rule, reply: decision.reply, file, note: decision.note });
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
