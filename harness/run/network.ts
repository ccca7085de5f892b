import type { EventSink } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import { deliveryOf } from '../observe/wire-rules.ts';
import { systemClock } from '../services/clock.ts';
import { startDhcp } from '../services/dhcp/dhcp-server.ts';
import { startHttp } from '../services/http/server.ts';
import { startTftp } from '../services/tftp/server.ts';
import type { ContentCache } from '../services/tree/content-cache.ts';
import { openTree, type ServedTree } from '../services/tree/served-tree.ts';
import type { Guest } from '../vm/qemu.ts';
import type { Capture } from '../wire/capture.ts';
import { linkOverStream } from '../wire/stream-link.ts';
import { createWire } from '../wire/wire.ts';

export interface NetworkStart {
  plan: Plan;
  guest: Pick<Guest, 'nic' | 'uplink'>;
  capture: Capture;
  /** Files that several guests fetch are read once. */
  cache: ContentCache;
  emit: EventSink;
  now(): number;
}

interface TcpServer {
  /** The loopback port behind the guest-facing one. */
  port: number;
  close(): Promise<void>;
}

/** Starts what stands behind each TCP port of the plan, on loopback alone. */
async function startTcpServers(plan: Plan, tree: ServedTree, emit: EventSink): Promise<Map<number, TcpServer>> {
  const servers = new Map<number, TcpServer>();
  for (const { port, service } of plan.network.tcp) {
    if (service === 'http') servers.set(port, await startHttp({ tree, emit }));
  }
  return servers;
}

/** Puts the plan's servers on the guest's wire. `close` ends them all and flushes the capture. */
export async function startNetwork({
  plan,
  guest,
  capture,
  cache,
  emit,
  now,
}: NetworkStart): Promise<{ close(): Promise<void> }> {
  const served = new Set<string>();
  const tree = openTree(plan.serve, (text) => text, cache);
  const onMalformed = (reason: string): void =>
    emit({ source: 'wire', type: 'malformed', from: 'guest', layer: 'link', reason, count: 1 });

  const tcpServers = await startTcpServers(plan, tree, emit);
  const wire = createWire({
    network: plan.network,
    nic: linkOverStream(guest.nic, onMalformed),
    ...(guest.uplink ? { uplink: linkOverStream(guest.uplink, onMalformed) } : {}),
    capture,
    now,
    tcpTargets: new Map([...tcpServers].map(([guestPort, { port }]) => [guestPort, port])),
    emit(event) {
      // What a guest already has decides what it is offered next: read off the wire, as all evidence is.
      const delivery = event.source === 'wire' ? deliveryOf(event) : undefined;
      if (delivery) served.add(delivery.name);
      emit(event);
    },
  });
  const dhcp = startDhcp(wire.udp, {
    network: plan.network,
    rules: plan.boot,
    served: () => served,
    expand: (text) => text,
    emit,
  });
  const tftp = startTftp(wire.udp, { tree, emit, clock: systemClock });
  return {
    async close() {
      dhcp.close();
      tftp.close();
      await Promise.all([...tcpServers.values()].map((server) => server.close()));
      await wire.close();
    },
  };
}
