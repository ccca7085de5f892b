import { tableBounds } from '../../model/bounds.ts';
import { formatIpv4Address, parseIpv4Address } from '../../wire/codecs/addresses.ts';

/** `firstIp` and the addresses after it in its subnet, without network, broadcast and `reserved` addresses. */
export function hostsFrom(firstIp: string, netmask: string, reserved: readonly string[]): string[] {
  const first = numberOf(firstIp);
  const mask = numberOf(netmask);
  const last = (first | ~mask) >>> 0;
  const addresses: string[] = [];
  for (let ip = first; ip < last && addresses.length < tableBounds.leases; ip++) {
    const text = formatIpv4Address(ip);
    if (!reserved.includes(text)) addresses.push(text);
  }
  return addresses;
}

export function onSubnet(ip: string, ofIp: string, netmask: string): boolean {
  const mask = numberOf(netmask);
  return (numberOf(ip) & mask) === (numberOf(ofIp) & mask);
}

/** The highest host address of a subnet not in `taken`: an identifier for a second server. */
export function spareHost(ip: string, netmask: string, taken: readonly string[]): string {
  let host = ((numberOf(ip) | ~numberOf(netmask)) >>> 0) - 1;
  while (taken.includes(formatIpv4Address(host))) host--;
  return formatIpv4Address(host);
}

function numberOf(quad: string): number {
  return parseIpv4Address(quad) ?? 0;
}
