import { HarnessError } from '../../model/errors.ts';
import type { Network } from '../../model/plan.ts';
import { linkLocalOf, parseIpv4Address, parseIpv6Address, parseMac, solicitedNodeOf } from '../codecs/addresses.ts';

/** The host whose address a fault has offered to the guest: locally administered, and nothing else on the wire. */
export const otherMac = Buffer.from([0x52, 0x54, 0x00, 0xfe, 0xfe, 0xfe]);

/** The plan's addresses as bytes and numbers. */
export interface ServerAddresses {
  readonly serverMac: Buffer;
  readonly guestMac: Buffer;
  readonly serverIp: number;
  /** Of servers elsewhere, for which the harness stands in. */
  readonly forwardedIps: ReadonlySet<number>;
  readonly directedBroadcast: number;
  readonly serverLinkLocal: Buffer;
  readonly serverIpv6: Buffer | undefined;
  /** Every IPv6 address of the server, and their solicited-node groups. */
  readonly serverIpv6Addresses: readonly Buffer[];
  readonly solicitedNodes: readonly Buffer[];
}

export function serverAddressesOf(network: Network): ServerAddresses {
  const serverMac = needed(parseMac, 'serverMac', network.serverMac);
  const serverIp = needed(parseIpv4Address, 'serverIp', network.serverIp);
  const netmask = needed(parseIpv4Address, 'netmask', network.netmask);
  const { ipv6 } = network;
  const serverLinkLocal = linkLocalOf(serverMac);
  const serverIpv6 = ipv6 && needed(parseIpv6Address, 'ipv6.serverIp', ipv6.serverIp);
  const serverIpv6Addresses = serverIpv6 ? [serverLinkLocal, serverIpv6] : [serverLinkLocal];
  return {
    serverMac,
    guestMac: needed(parseMac, 'guestMac', network.guestMac),
    serverIp,
    forwardedIps: new Set(
      network.provisioner?.relay?.forward.map(({ address }) => needed(parseIpv4Address, 'provisioner.relay', address)),
    ),
    directedBroadcast: (serverIp | ~netmask) >>> 0,
    serverLinkLocal,
    serverIpv6,
    serverIpv6Addresses,
    solicitedNodes: serverIpv6Addresses.map(solicitedNodeOf),
  };
}

function needed<T>(parse: (text: string) => T | undefined, field: string, text: string): T {
  const value = parse(text);
  if (value === undefined) {
    throw new HarnessError('usage', `network.${field} is "${text}", which is not a valid address`, {
      hint: `Set network.${field} to an address such as 52:54:00:12:34:56, 10.0.2.2 or fd00::2.`,
      details: { field, value: text },
    });
  }
  return value;
}
