import type { BootRule } from '../../model/boot-rule.ts';
import { handedOverOf } from '../../model/deliveries.ts';
import type { EventSink } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import type { Stage } from '../../model/stages.ts';
import { DisposalStack, opening } from '../../os/disposal-stack.ts';
import { systemClock } from '../../services/clock.ts';
import { startDhcp } from '../../services/dhcp/v4/server.ts';
import { startDhcp6 } from '../../services/dhcp/v6/server.ts';
import { type FaultOptions, serverFaults } from '../../services/faults.ts';
import { startHttp } from '../../services/http/server.ts';
import type { TlsFaults } from '../../services/http/tls-faults.ts';
import { startIscsiTarget } from '../../services/iscsi/target.ts';
import type { RunningServer } from '../../services/loopback-server.ts';
import { startNfs, startPortmap } from '../../services/nfs/server.ts';
import { startTftp } from '../../services/tftp/server.ts';
import { openTree, type ServedTree } from '../../services/tree/served-tree.ts';
import type { Guest } from '../../vm/qemu.ts';
import type { Capture } from '../../wire/capture/capture.ts';
import type { Faults } from '../../wire/faults/faults.ts';
import type { Link } from '../../wire/stack/link.ts';
import { linkOverStream } from '../../wire/stack/stream-link.ts';
import type { TcpForward } from '../../wire/stack/uplink.ts';
import { createWire, type Wire } from '../../wire/wire.ts';
import type { Authorities } from '../authorities.ts';
import { startHttpForwards, startRelays } from './relay.ts';

export interface NetworkStart {
  plan: Plan;
  guest: Pick<Guest, 'nic' | 'uplink'>;
  /** What stands between the guest's NIC and the wire. */
  gate?: ((nic: Link) => Link) | undefined;
  /** The provisioner's link. */
  foreign?: Link | undefined;
  capture: Capture;
  authorities: Pick<Authorities, 'certificate'>;
  emit: EventSink;
  now(): number;
  /** What the network does to frames on purpose. */
  faults?: Faults | undefined;
  /** How far the case has come, for the faults that its servers have. */
  hasReached(stage: Stage): boolean;
}

/** Disposing of it stops servers and wire and flushes the capture; rejects with the first failure, after all are done. */
export interface RunningNetwork extends AsyncDisposable {
  /** Stops every server; the wire stays up. */
  stopServers(): Promise<void>;
  /** Frames so far, in both directions. */
  frames(): number;
}

async function tlsFaultsOf(
  { plan, authorities }: Pick<NetworkStart, 'plan' | 'authorities'>,
  progress: FaultOptions,
): Promise<TlsFaults | undefined> {
  const own = (plan.scenario.faults ?? []).filter(({ server }) => server === 'tls');
  if (own.length === 0 || plan.tls === undefined) return undefined;
  const wanted = own.flatMap((fault) => (fault.server === 'tls' ? (fault.certificate ?? []) : []));
  const certificates: TlsFaults['certificates'] = {};
  for (const certificate of wanted) {
    certificates[certificate] = await authorities.certificate({ ...plan, tls: { ...plan.tls, certificate } });
  }
  return { faults: serverFaults('tls', plan.scenario.faults ?? [], progress), certificates };
}

/** Starts the server behind each TCP port of the plan, on loopback only. */
async function startTcpServers(
  { plan, authorities, ...progress }: Pick<NetworkStart, 'plan' | 'authorities'> & FaultOptions,
  tree: ServedTree,
  servers: DisposalStack,
): Promise<ReadonlyMap<number, number>> {
  const ports = new Map<number, number>();
  const { emit } = progress;
  const { ipVersion, faults = [] } = plan.scenario;
  const web = { tree, emit, ipVersion, faults: serverFaults('http', faults, progress) };
  const starters: Record<Plan['network']['tcp'][number]['service'], () => Promise<RunningServer>> = {
    http: () => startHttp(web),
    https: async () =>
      startHttp({
        ...web,
        tls: await authorities.certificate(plan),
        tlsFaults: await tlsFaultsOf({ plan, authorities }, progress),
      }),
    portmap: () => startPortmap({ emit, ipVersion }),
    nfs: () => startNfs({ tree, emit, ipVersion }),
    iscsi: () => startIscsiTarget(plan.san as NonNullable<Plan['san']>, emit, ipVersion),
  };
  for (const { port, service } of plan.network.tcp) {
    const server = await starters[service]();
    servers.defer(() => server.close());
    ports.set(port, server.port);
  }
  return ports;
}

/** A closed port (discard): connections are refused at once. */
const closedPort = 9;

/**
 * A case that boots over IPv6 is offered no boot file over IPv4, since clients offered both prefer IPv4. Two clients get
 * an answer anyway, because they wait for IPv4: iPXE gets an address, or it would keep asking for 15 s; EDK II's HTTP
 * boot tries IPv6 only once IPv4 has failed, which takes a moment with a closed port and a minute with silence.
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

/** A proxyDHCP server of the user's says what to boot. */
const addressesAlone: BootRule[] = [{ name: 'an address alone', when: {}, answer: true, options: [] }];

interface Boot extends FaultOptions {
  plan: Plan;
  /** File names handed out to the guest. */
  served: ReadonlySet<string>;
}

function startDhcpServers(
  { udp, occupy }: Wire,
  { plan: { network, boot, scenario }, served, ...options }: Boot,
  servers: DisposalStack,
): void {
  const { ipv6, serverIp } = network;
  const foreign = network.provisioner?.serves ?? [];
  const common = { served: () => served, emit: options.emit };
  const faults = scenario.faults ?? [];
  if (!foreign.includes('dhcp')) {
    const rules = foreign.includes('proxydhcp') ? addressesAlone : ipv6 ? besideIpv6(serverIp) : boot;
    const four = startDhcp(udp, { ...common, rules, network, occupy, faults: serverFaults('dhcp', faults, options) });
    servers.defer(() => four.close());
  }
  if (!ipv6 || foreign.includes('dhcpv6')) return;
  const six = startDhcp6(udp, {
    ...{ ...common, rules: boot, network: { ...network, ipv6 }, occupy },
    faults: serverFaults('dhcp6', faults, options),
  });
  servers.defer(() => six.close());
}

/** What a guest has already fetched decides what it is offered next. */
function noteHandedOver(served: Set<string>, emit: EventSink): EventSink {
  return (event) => {
    const name = handedOverOf(event);
    if (name !== undefined) served.add(name);
    emit(event);
  };
}

interface TcpTargets {
  own: ReadonlyMap<number, number>;
  forwards: readonly TcpForward[];
}

function layWire(
  { plan, guest, foreign, gate = (nic) => nic, capture, now, faults }: NetworkStart,
  { own, forwards }: TcpTargets,
  emit: EventSink,
): Wire {
  return createWire({
    network: plan.network,
    nic: gate(linkOverStream(guest.nic)),
    // What our own servers send arrives here: no flood, and all of a guest's HTTP.
    ...(guest.uplink ? { uplink: linkOverStream(guest.uplink, { inTurns: false }) } : {}),
    ...(foreign ? { foreign } : {}),
    capture,
    now,
    tcpTargets: own,
    forwards,
    emit,
    faults,
  });
}

/** Puts the plan's servers on the guest's wire; if one fails to start, stops the others and rejects with its error. */
export function startNetwork(start: NetworkStart): Promise<RunningNetwork> {
  return opening(async (opened) => {
    const { plan, emit } = start;
    const served = new Set<string>();
    const noting = noteHandedOver(served, emit);
    const tree = openTree(plan.serve);
    const servers = new DisposalStack();
    let wire: Wire | undefined;
    // Servers stop before the wire that they are on.
    opened.defer(() => wire?.close());
    opened.use(servers);
    const own = await startTcpServers({ ...start, emit: noting }, tree, servers);
    const forwards = await startHttpForwards(plan, emit, servers);
    wire = layWire(start, { own, forwards }, noting);
    startDhcpServers(wire, { ...start, served }, servers);
    await startRelays(wire, plan, emit, servers);
    if (!plan.network.provisioner?.serves.includes('tftp')) {
      const faults = serverFaults('tftp', plan.scenario.faults ?? [], start);
      const tftp = startTftp(wire.udp, { tree, emit, clock: systemClock, faults });
      servers.defer(() => tftp.close());
    }
    const { stats } = wire;
    return {
      stopServers: () => servers[Symbol.asyncDispose](),
      frames: () => stats.fromGuest.frames + stats.toGuest.frames,
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  });
}
