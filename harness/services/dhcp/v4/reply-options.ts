import type { DhcpFacts } from '../../../model/events.ts';
import type { Network } from '../../../model/plan.ts';
import type { OptionMap } from '../../../wire/codecs/dhcp-options.ts';
import { parseEncapsulated } from '../../../wire/codecs/dhcp-options.ts';

/** Longer than any boot. */
const leaseSeconds = 86_400;
/** PXE discovery control 8: use the boot file in this reply, skip boot server discovery (PXE 2.1 table 2-1). */
const noDiscovery = Buffer.of(6, 1, 8, 255);
/** iPXE's no-pxedhcp: spares its wait of up to three seconds for proxyDHCP offers. */
const noProxyDhcp = Buffer.of(0xb0, 1, 1);
const bootItem = 71;

type ClientKind = 'pxe' | 'http' | 'other';

/** A parsed client: its facts and the options they were read from. */
export interface Client {
  readonly facts: DhcpFacts;
  readonly options: OptionMap;
  readonly kind: ClientKind;
  readonly ipxe: boolean;
}

export function clientOf(facts: DhcpFacts, options: OptionMap): Client {
  const { vendorClass = '' } = facts;
  const kind = vendorClass.startsWith('PXEClient') ? 'pxe' : vendorClass.startsWith('HTTPClient') ? 'http' : 'other';
  return { facts, options, kind, ipxe: facts.ipxe || facts.userClass === 'iPXE' };
}

/** Server identifier (54), and the identifiers that must be echoed to the client (RFC 6842, RFC 4578 §2.3). */
export function identityOptions(client: Client, serverId: string): Map<number, Buffer> {
  const options = new Map([[54, quad(serverId)]]);
  copy(client, options, 61);
  if (client.kind !== 'other') copy(client, options, 97);
  return options;
}

/** Mask, router and, with a lease, its duration; to iPXE also that there is no proxyDHCP server, if so. */
export function addressOptions(client: Client, network: Network, lease: boolean): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  if (lease) options.set(51, seconds(leaseSeconds));
  if (wants(client, 1)) options.set(1, quad(network.netmask));
  if (wants(client, 3)) options.set(3, quad(network.serverIp));
  if (client.ipxe && !network.proxyDhcp) options.set(175, noProxyDhcp);
  return options;
}

/** Where boot information goes in a reply. */
export interface BootFields {
  readonly siaddr: string;
  readonly file: string;
  readonly options: Map<number, Buffer>;
}

/**
 * The replies of a proxyDHCP server (PXE 2.1 §2.2): an offer with the boot file in it, an offer that has none
 * (clients ask for it on 4011: BINL), and the acknowledgement from 4011.
 */
export type ProxyReply = 'offer' | 'binl-offer' | 'ack';

/**
 * Boot file and server for one client; a proxyDHCP server's replies must carry option 60.
 *
 * A PXE client's plain reply carries neither 60 nor 43: every PXE ROM then takes it as a plain DHCP offer
 * with a boot file, while 60 without 43 sends it to port 4011 and iPXE takes 60 for a proxyDHCP offer.
 */
export function bootFields(client: Client, file: string, serverIp: string, proxy: ProxyReply | null): BootFields {
  const options = new Map<number, Buffer>();
  if (client.kind === 'http') {
    // UEFI §24.7.3.1: the reply must say HTTPClient, and the URI goes in option 67 only.
    options.set(60, Buffer.from('HTTPClient'));
    options.set(67, Buffer.from(file));
    return { siaddr: '0.0.0.0', file: '', options };
  }
  if (proxy) options.set(60, Buffer.from('PXEClient'));
  // iPXE and UEFI take a proxy's offer that names a file as the whole answer.
  if (proxy === 'binl-offer') return { siaddr: serverIp, file: '', options };
  if (wants(client, 66)) options.set(66, Buffer.from(serverIp));
  // `file` holds 127 bytes and a NUL; a longer name goes in option 67 even if not requested.
  const fits = Buffer.byteLength(file) < 128;
  if (!fits || wants(client, 67)) options.set(67, Buffer.from(file));
  const item = proxy === 'ack' && requestedBootItem(client);
  if (item) options.set(43, item);
  if (proxy === 'offer') options.set(43, noDiscovery);
  return { siaddr: serverIp, file: fits ? file : '', options };
}

/** The boot menu item a client chose, echoed back to it (PXE 2.1 table 2-6). */
function requestedBootItem(client: Client): Buffer | undefined {
  const vendor = client.options.get(43);
  const item = vendor && parseEncapsulated(vendor)?.get(bootItem);
  return item?.length === 4 ? Buffer.concat([Buffer.of(bootItem, 4), item, Buffer.of(255)]) : undefined;
}

/** Whether the client asked for an option; one without a parameter request list (55) gets everything. */
function wants(client: Client, code: number): boolean {
  return client.options.get(55)?.includes(code) ?? true;
}

function copy(client: Client, options: Map<number, Buffer>, code: number): void {
  const value = client.options.get(code);
  if (value) options.set(code, value);
}

function quad(ip: string): Buffer {
  return Buffer.from(ip.split('.').map(Number));
}

function seconds(value: number): Buffer {
  const option = Buffer.alloc(4);
  option.writeUInt32BE(value);
  return option;
}
