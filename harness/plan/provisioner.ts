import type { Network } from '../model/plan.ts';
import {
  defaultCwd,
  isShared,
  nameOfProgram,
  type PlannedProvisioner,
  type ProvisionerProgram,
  type ProvisionerService,
  programsOf,
  type Ready,
  relayOf,
} from '../model/provisioner.ts';
import {
  endpointOf,
  type Forward,
  type PlannedForward,
  type PlannedRelay,
  portOf,
  type Relay,
  relayedServer,
} from '../model/relay.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';

const provisionerMac = '52:55:0a:00:02:03';
const provisionerIp = '10.0.2.3';
const provisionerIp6 = 'fd00::3';
const prefixBits = { ipv4: 24, ipv6: 64 } as const;

/** The adapter's own descriptor of the wire. */
const adapterFd = 3;
const readyWithinMs = 15_000;

/** What shows that a service is there. Router advertisements are sent from a raw socket, which has no port. */
const signsOf: Record<ProvisionerService, Ready[]> = {
  dhcp: [{ udp: 67 }],
  // On the DHCP server's port, its own, or both (PXE 2.1 §2.2.3).
  proxydhcp: [],
  dhcpv6: [{ udp: 547 }],
  'router-advertisements': [],
  tftp: [{ udp: 69 }],
  http: [{ tcp: 80 }],
};

const isIp6 = (address: string): boolean => address.includes(':');

const addressesOf = (programs: readonly ProvisionerProgram[], ipVersion: 4 | 6): string[] =>
  programs.find(({ address }) => address !== undefined)?.address ??
  (ipVersion === 6 ? [provisionerIp, provisionerIp6] : [provisionerIp]);

function planForward(forward: Forward): PlannedForward {
  const { address } = forward;
  const place = { address, port: portOf(forward) };
  if ('tftp' in forward) return { service: 'tftp', ...place, to: endpointOf(forward.tftp) };
  return { service: 'http', ...place, to: endpointOf(forward.http) };
}

/** No case is expanded whose version of IP has no server. */
const planRelay = (relay: Relay, ipVersion: 4 | 6): PlannedRelay => ({
  dhcp: endpointOf(relayedServer(relay, ipVersion) as string),
  forward: (relay.forward ?? []).map(planForward),
});

/** The user's server as the network sees it. Next to one that is running already, the harness goes on serving its files. */
export function planProvisionerNetwork({
  provisioner,
  ipVersion,
}: Pick<Scenario, 'provisioner' | 'ipVersion'>): Pick<Network, 'provisioner'> {
  if (provisioner === undefined) return {};
  const relay = relayOf(provisioner);
  if (relay !== undefined) {
    return { provisioner: { serves: [ipVersion === 6 ? 'dhcpv6' : 'dhcp'], relay: planRelay(relay, ipVersion) } };
  }
  const programs = programsOf(provisioner);
  const addresses = addressesOf(programs, ipVersion);
  const ip = addresses.find((address) => !isIp6(address));
  const ip6 = addresses.find(isIp6);
  return {
    provisioner: {
      ...(ip === undefined ? {} : { ip }),
      ...(ip6 === undefined ? {} : { ip6 }),
      serves: [...new Set(programs.flatMap(({ serves = [] }) => serves))],
    },
  };
}

function readyOf({ ready, serves = [] }: ProvisionerProgram): Ready[] {
  return ready === undefined ? serves.flatMap((service) => signsOf[service]) : [ready].flat();
}

/** A log for each program. */
function uniqueNames(programs: readonly ProvisionerProgram[]): string[] {
  const names = programs.map(nameOfProgram);
  return names.map((name, at) => (names.indexOf(name) === at ? name : `${name}-${at + 1}`));
}

/** QEMU without a machine, to join the server's interface (`netdev=server`) to the wire. */
const adapterArgv: readonly string[] = [
  ...['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-qmp', 'stdio'],
  ...['-netdev', `stream,id=wire,server=off,addr.type=fd,addr.str=${adapterFd}`],
  ...['-netdev', 'hubport,id=hub-wire,hubid=0,netdev=wire'],
  ...['-netdev', 'hubport,id=hub-server,hubid=0,netdev=server'],
];

/** The user's server, decided but for its folders; `fill` fills in all placeholders that a plan knows. */
export function planProvisioner(
  scenario: Scenario,
  resolved: Pick<Resolved, 'provisioner' | 'qemu'>,
  fill: (text: string) => string,
): { provisioner?: PlannedProvisioner } {
  if (scenario.provisioner === undefined || resolved.provisioner === undefined) return {};
  const said = programsOf(scenario.provisioner);
  const names = uniqueNames(said);
  const { programs: found, packetPrograms } = resolved.provisioner;
  const filled = (env: Record<string, string>) =>
    Object.fromEntries(Object.entries(env).map(([name, value]) => [name, fill(value)]));
  return {
    provisioner: {
      ...(isShared(scenario.provisioner) ? { scope: 'group' } : {}),
      mac: provisionerMac,
      addresses: addressesOf(said, scenario.ipVersion).map(
        (address) => `${address}/${isIp6(address) ? prefixBits.ipv6 : prefixBits.ipv4}`,
      ),
      programs: said.map((program, at) => ({
        name: names[at] as string,
        argv: [found[at]?.path as string, ...program.command.slice(1).map(fill)],
        env: { ...found[at]?.env, ...filled(program.env ?? {}) },
        cwd: fill(program.cwd ?? defaultCwd),
        ready: readyOf(program),
        readyWithinMs: program.readyWithinMs ?? readyWithinMs,
        stop: program.stop ?? 'SIGTERM',
      })),
      files: Object.fromEntries(
        found.flatMap(({ files }) =>
          Object.entries(files).map(([name, file]) => [name, 'text' in file ? { text: fill(file.text) } : file]),
        ),
      ),
      adapter: {
        program: resolved.qemu.program,
        argv: [...resolved.qemu.dataFolders.flatMap((folder) => ['-L', folder]), ...adapterArgv],
        env: resolved.qemu.env,
      },
      ...(packetPrograms === undefined
        ? {}
        : {
            packetPrograms: {
              socat: { program: packetPrograms.socat.path, argv: [], env: packetPrograms.socat.env },
              ethtool: { program: packetPrograms.ethtool.path, argv: [], env: packetPrograms.ethtool.env },
            },
          }),
    },
  };
}
