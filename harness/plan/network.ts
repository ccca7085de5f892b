import type { Transport } from '../model/axes.ts';
import type { Network } from '../model/plan.ts';
import { isShared } from '../model/provisioner.ts';
import { harnessIp as serverIp } from '../model/relay.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { planProvisionerNetwork } from './provisioner.ts';

/** Addresses inside the guest's network; the uplink's user-mode stack uses the server's. */
const guestIp = '10.0.2.15';
const serverIp6 = 'fd00::2';
const guestIp6 = 'fd00::15';

/** The uplink's user-mode stack, as `-netdev user` takes it: TCP to the server's address leaves through it. */
export const userStack = {
  ipv4: `net=10.0.2.0/24,host=${serverIp}`,
  ipv6: `ipv6-prefix=fd00::,ipv6-host=${serverIp6}`,
} as const;

const defaultMac = '52:54:00:12:34:56';

/** A MAC of its own for a guest that is not alone: locally administered, and the same whenever the cell is run. */
function macOf(id: string): string {
  // FNV-1a, 32 bits.
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0;
  const digits = hash.toString(16).padStart(8, '0');
  return `52:54:${(digits.match(/../g) as string[]).join(':')}`;
}

const ports = { http: 80, https: 443, iscsi: 3260, portmap: 111, nfs: 2049 } as const;

/** Whether the user's server serves this transport. */
const isForeign = ({ provisioner }: Pick<Network, 'provisioner'>, transport: Transport): boolean =>
  provisioner?.serves.some((service) => service === transport) ?? false;

/** The address of the server behind a transport. */
export function serverOf(network: Network, transport: Transport): string {
  const { provisioner, ipv6, serverIp } = network;
  if (provisioner === undefined || !isForeign(network, transport)) return ipv6?.serverIp ?? serverIp;
  return (ipv6 ? provisioner.ip6 : provisioner.ip) ?? provisioner.ip ?? (provisioner.ip6 as string);
}

/** Only the services that the scenario uses get a TCP port. */
export function planNetwork(scenario: Scenario, { transports, san }: Pick<Resolved, 'transports' | 'san'>): Network {
  const foreign = planProvisionerNetwork(scenario);
  const used = new Set<keyof typeof ports>();
  for (const transport of Object.values(transports)) {
    if (transport !== 'tftp' && !isForeign(foreign, transport)) used.add(transport);
  }
  if (san) used.add('iscsi');
  if (used.has('nfs')) used.add('portmap');
  return {
    serverMac: '52:55:0a:00:02:02',
    serverIp,
    guestMac: isShared(scenario.provisioner) ? macOf(scenario.id) : defaultMac,
    guestIp,
    netmask: '255.255.255.0',
    ...(scenario.ipVersion === 6
      ? { ipv6: { serverIp: serverIp6, guestIp: guestIp6, managed: scenario.managedIpv6 ?? true } }
      : {}),
    ...(scenario.vlan === undefined ? {} : { vlan: scenario.vlan }),
    proxyDhcp: scenario.proxyDhcp ?? foreign.provisioner?.serves.includes('proxydhcp') ?? false,
    ...foreign,
    tcp: [...used].map((service) => ({ port: ports[service], service })),
  };
}
