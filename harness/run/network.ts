import type { BootRule } from '../model/boot-rule.ts';
import type { EventSink } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import { handedOverOf } from '../observe/wire-rules.ts';
import { systemClock } from '../services/clock.ts';
import { startDhcp } from '../services/dhcp/v4/server.ts';
import { startDhcp6 } from '../services/dhcp/v6/server.ts';
import { startHttp } from '../services/http/server.ts';
import { startIscsiTarget } from '../services/iscsi/target.ts';
import type { RunningServer } from '../services/loopback-server.ts';
import { startNfs, startPortmap } from '../services/nfs/server.ts';
import { startTftp } from '../services/tftp/server.ts';
import { openTree, type ServedTree } from '../services/tree/served-tree.ts';
import type { Guest } from '../vm/qemu.ts';
import type { Capture } from '../wire/capture/capture.ts';
import type { Faults } from '../wire/faults.ts';
import { linkOverStream } from '../wire/stack/stream-link.ts';
import type { UdpHost } from '../wire/stack/udp-host.ts';
import { createWire } from '../wire/wire.ts';
import type { Authorities } from './authorities.ts';

export interface NetworkStart {
  plan: Plan;
  guest: Pick<Guest, 'nic' | 'uplink'>;
  capture: Capture;
  authorities: Pick<Authorities, 'certificate'>;
  emit: EventSink;
  now(): number;
  faults?: Faults | undefined;
}

export interface RunningNetwork {
  /** Ends every server; the wire stays, and who was served is left alone with it. */
  stopServers(): Promise<void>;
  /** Ends servers and wire, and flushes the capture. */
  close(): Promise<void>;
}

/** Starts what stands behind each TCP port of the plan, on loopback alone. */
async function startTcpServers(
  { plan, authorities, emit }: Pick<NetworkStart, 'plan' | 'authorities' | 'emit'>,
  tree: ServedTree,
): Promise<Map<number, RunningServer>> {
  const servers = new Map<number, RunningServer>();
  const { ipVersion } = plan.scenario;
  const starters = {
    http: () => startHttp({ tree, emit, ipVersion }),
    https: async () => startHttp({ tree, emit, ipVersion, tls: await authorities.certificate(plan) }),
    portmap: () => startPortmap({ emit, ipVersion }),
    nfs: () => startNfs({ tree, emit, ipVersion }),
    iscsi: () => startIscsiTarget(plan.san as NonNullable<Plan['san']>, emit, ipVersion),
  };
  try {
    for (const { port, service } of plan.network.tcp) servers.set(port, await starters[service]());
  } catch (error) {
    await Promise.all([...servers.values()].map((server) => server.close()));
    throw error;
  }
  return servers;
}

/** A closed port (discard): a client sent there is refused at once. */
const closedPort = 9;

/**
 * A case that boots over IPv6 is told nothing to boot over IPv4, since clients that hear from both prefer IPv4. Two are
 * answered all the same, because they wait for IPv4: iPXE gets an address, or it would ask for one for 15 s beside the
 * one it has; EDK II's HTTP boot goes on to IPv6 only once IPv4 has failed, within a blink where the URL leads to a
 * closed port and after a minute of silence otherwise.
 */
const besideIpv6 = (serverIp: string): BootRule[] => [
  {
    name: 'HTTP boot over IPv4 → a closed port',
    when: { vendorClass: 'HTTPClient' },
    file: `http://${serverIp}:${closedPort}/`,
    answer: true,
    options: [],
  },
  { name: 'iPXE → an IPv4 address alone', when: { userClass: 'iPXE' }, answer: true, options: [] },
  { name: 'no IPv4', when: {}, answer: false, options: [] },
];

function startDhcpServers(udp: UdpHost, plan: Plan, served: () => ReadonlySet<string>, emit: EventSink) {
  const { network, boot } = plan;
  const { ipv6, serverIp } = network;
  const common = { served, emit };
  const four = startDhcp(udp, { ...common, rules: ipv6 ? besideIpv6(serverIp) : boot, network });
  const six = ipv6 && startDhcp6(udp, { ...common, rules: boot, network: { ...network, ipv6 } });
  return {
    close() {
      four.close();
      six?.close();
    },
  };
}

/** Puts the plan's servers on the guest's wire. */
export async function startNetwork(start: NetworkStart): Promise<RunningNetwork> {
  const { plan, guest, capture, emit, now, faults } = start;
  const served = new Set<string>();
  const tree = openTree(plan.serve);
  const onMalformed = (reason: string): void =>
    emit({ source: 'wire', type: 'malformed', from: 'guest', layer: 'link', reason, count: 1 });

  // What a guest already has decides what it is offered next.
  const noting: EventSink = (event) => {
    const name = handedOverOf(event);
    if (name !== undefined) served.add(name);
    emit(event);
  };
  const tcpServers = await startTcpServers({ ...start, emit: noting }, tree);
  const wire = createWire({
    network: plan.network,
    nic: linkOverStream(guest.nic, onMalformed),
    ...(guest.uplink ? { uplink: linkOverStream(guest.uplink, onMalformed) } : {}),
    capture,
    now,
    tcpTargets: new Map([...tcpServers].map(([guestPort, { port }]) => [guestPort, port])),
    emit: noting,
    faults,
  });
  const dhcp = startDhcpServers(wire.udp, plan, () => served, emit);
  const tftp = startTftp(wire.udp, { tree, emit, clock: systemClock });
  let stopping: Promise<unknown> | undefined;
  const stopServers = async (): Promise<void> => {
    stopping ??= Promise.all([dhcp, tftp, ...tcpServers.values()].map((server) => server.close()));
    await stopping;
  };
  return {
    stopServers,
    async close() {
      await stopServers();
      await wire.close();
    },
  };
}
