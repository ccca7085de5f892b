import { readdirSync, readFileSync } from 'node:fs';
import type { Network } from '../../harness/model/plan.ts';
import { parseMac } from '../../harness/wire/codecs/addresses.ts';
import { readFrames } from '../boots/pcapng.ts';
import { captureNames, guestPayloads } from '../dhcp/captures.ts';
import { udpFrame } from '../wire/frames.ts';

/** The network of the recorded boots, with a port of every service. */
export const network = {
  serverMac: '52:55:0a:00:02:02',
  serverIp: '10.0.2.2',
  guestMac: '52:54:00:12:34:56',
  guestIp: '10.0.2.15',
  netmask: '255.255.255.0',
  ipv6: { serverIp: 'fd00::2', guestIp: 'fd00::15', managed: true },
  proxyDhcp: false,
  tcp: [
    { port: 80, service: 'http' },
    { port: 443, service: 'https' },
    { port: 2049, service: 'nfs' },
    { port: 111, service: 'portmap' },
    { port: 3260, service: 'iscsi' },
  ],
} satisfies Network;

export interface RecordedFrame {
  readonly from: 'guest' | 'server';
  readonly frame: Buffer;
}

const serverMac = parseMac(network.serverMac) as Buffer;

/** The frames of a capture of the harness, in order. */
const framesOf = (pcapng: Buffer): RecordedFrame[] =>
  readFrames(pcapng).map((frame) => ({
    from: frame.compare(serverMac, 0, 6, 6, 12) === 0 ? 'server' : 'guest',
    frame: Buffer.from(frame),
  }));

const folder = new URL('../../fixtures/captures/boots/', import.meta.url);
/** One of fixtures/captures/boots, by name. */
export const recordingOf = (name: string): RecordedFrame[] => framesOf(readFileSync(new URL(`${name}.pcapng`, folder)));
const boots = readdirSync(folder)
  .filter((name) => name.endsWith('.pcapng'))
  .map((name) => recordingOf(name.replace('.pcapng', '')));

/** DHCP of further clients: only what they sent. */
const exchanges = captureNames('v').map((name) => {
  const isIpv6 = name.startsWith('v6');
  const client = { mac: network.guestMac, ip: isIpv6 ? 'fe80::5054:ff:fe12:3456' : '0.0.0.0' };
  const servers = isIpv6
    ? { mac: '33:33:00:01:00:02', ip: 'ff02::1:2' }
    : { mac: 'ff:ff:ff:ff:ff:ff', ip: '255.255.255.255' };
  const [from, to] = isIpv6 ? [546, 547] : [68, 67];
  return guestPayloads(name).map(
    (payload): RecordedFrame => ({ from: 'guest', frame: udpFrame(client, servers, from, to, payload) }),
  );
});

/** Conversations of real clients, each from its beginning. */
export const recordings: readonly (readonly RecordedFrame[])[] = [...boots, ...exchanges];
