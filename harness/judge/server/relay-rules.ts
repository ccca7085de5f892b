import type { Network } from '../../model/plan.ts';
import { harnessIp } from '../../model/relay.ts';
import { unset } from '../../observe/wire-rules.ts';
import { bootFileOf, clientText, type Wire } from './exchanges.ts';
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
  const { protocol, hostname: host, port } = new URL(file);
  const scheme = protocol.replace(/:$/, '');
  return host === '' ? undefined : { scheme, host, port: port === '' ? (defaultPorts[scheme] ?? 0) : Number(port) };
}

/** By URL, or by TFTP from the next server or the TFTP server's address. */
function placesIn(reply: Wire<'dhcp'>): Place[] {
  const file = bootFileOf(reply);
  if (file === undefined) return [];
  if (file.includes('://')) return [placeOfUrl(file) ?? []].flat();
  const hosts = [reply.siaddr, reply.tftpServerName].filter((host) => host !== undefined && host !== unset);
  return [...new Set(hosts)].map((host) => ({ scheme: 'tftp', host: host as string, port: 69 }));
}

function isListed({ serverIp, tcp, provisioner }: Network, { scheme, host, port }: Place): boolean {
  const isOwn = host === serverIp && ((scheme === 'tftp' && port === 69) || tcp.some((one) => one.port === port));
  const forward = provisioner?.relay?.forward ?? [];
  return isOwn || forward.some((one) => one.service === scheme && one.address === host && one.port === port);
}

const isIpv4 = (host: string): boolean => /^\d+(\.\d+){3}$/.test(host);

function notListed({ plan, answered }: Boot): Seen[] {
  if (plan.network.provisioner?.relay === undefined) return [];
  return answered.flatMap(({ client, replies }) =>
    replies.flatMap((reply): Seen[] => {
      if (reply.type !== 'dhcp') return [];
      return placesIn(reply)
        .filter((place) => !isListed(plan.network, place))
        .map(({ scheme, host, port }) => {
          const where = isIpv4(host) ? `${scheme} at ${host}:${port}` : `${scheme} at ${host}, a name`;
          const text = `${clientText(client)} was told ${bootFileOf(reply)}, by ${where}, which the matrix does not list`;
          return { atMs: reply.tMs, text };
        });
    }),
  );
}

/** What is behind a relay and cannot be reached from the client's network. */
export const relayRules: readonly ServerRule[] = [
  {
    name: 'host-not-listed',
    about: bootServices,
    section: 'RFC 2131 §2, RFC 2132 §9.4',
    remedy: `list that address in the provisioner's forward, or name the harness's own files at ${harnessIp}`,
    informational: true,
    find: notListed,
  },
];
