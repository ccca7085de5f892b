import type { Network } from '../../model/plan.ts';
import { endpointText, isIp6Host } from '../../model/relay.ts';
import { unset } from '../../observe/wire-rules.ts';
import { bootFileOf, clientText, type DhcpMessage } from './exchanges.ts';
import { type Boot, bootServices, type Seen, type ServerRule } from './rule.ts';

/** Where a client is sent for its file. */
interface Place {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
}

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443, tftp: 69 };

function placeOfUrl(file: string): Place | undefined {
  if (!URL.canParse(file)) return undefined;
  const { protocol, hostname, port } = new URL(file);
  const host = hostname.replace(/^\[|\]$/g, '');
  const scheme = protocol.replace(/:$/, '');
  return host === '' ? undefined : { scheme, host, port: port === '' ? (defaultPorts[scheme] ?? 0) : Number(port) };
}

/** By URL, or by TFTP from the next server or the TFTP server's address. */
function placesIn(reply: DhcpMessage): Place[] {
  const file = bootFileOf(reply);
  if (file === undefined) return [];
  if (reply.type === 'dhcp6' || file.includes('://')) return [placeOfUrl(file) ?? []].flat();
  const hosts = [reply.siaddr, reply.tftpServerName].filter((host) => host !== undefined && host !== unset);
  return [...new Set(hosts)].map((host) => ({ scheme: 'tftp', host: host as string, port: 69 }));
}

function isListed({ serverIp, ipv6, tcp, provisioner }: Network, { scheme, host, port }: Place): boolean {
  const isOwn =
    (host === serverIp || host === ipv6?.serverIp) &&
    ((scheme === 'tftp' && port === 69) || tcp.some((one) => one.port === port));
  const forward = provisioner?.relay?.forward ?? [];
  return isOwn || forward.some((one) => one.service === scheme && one.address === host && one.port === port);
}

const isAddress = (host: string): boolean => isIp6Host(host) || /^\d+(\.\d+){3}$/.test(host);

const placeText = ({ scheme, host, port }: Place): string =>
  `${scheme} at ${isAddress(host) ? endpointText({ host, port }) : `${host}, a name`}`;

function notListed({ plan, answered }: Boot): Seen[] {
  if (plan.network.provisioner?.relay === undefined) return [];
  return answered.flatMap(({ client, replies }) =>
    replies.flatMap((reply) =>
      placesIn(reply)
        .filter((place) => !isListed(plan.network, place))
        .map((place): Seen => {
          const text = `${clientText(client)} was told ${bootFileOf(reply)}, by ${placeText(place)}, which the matrix does not list`;
          return { atMs: reply.tMs, text };
        }),
    ),
  );
}

/** What is behind a relay and cannot be reached from the client's network. */
export const relayRules: readonly ServerRule[] = [
  {
    name: 'host-not-listed',
    about: bootServices,
    section: 'RFC 2131 §2, RFC 2132 §9.4',
    remedy: "list that address in the provisioner's forward, or name the harness's files at its own address",
    informational: true,
    find: notListed,
  },
];
