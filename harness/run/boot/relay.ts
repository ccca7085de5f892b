import type { EventSink } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import type { DisposalStack } from '../../os/disposal-stack.ts';
import { systemClock } from '../../services/clock.ts';
import { startDhcpRelay } from '../../services/relay/dhcp-relay.ts';
import { startHttpForward } from '../../services/relay/http-forward.ts';
import { startTftpForward } from '../../services/relay/tftp-forward.ts';
import { relayV4 } from '../../services/relay/v4-messages.ts';
import { relayV6 } from '../../services/relay/v6-messages.ts';
import type { TcpForward } from '../../wire/stack/uplink.ts';
import type { Wire } from '../../wire/wire.ts';
import { emitServerEnd } from './provisioner.ts';

/** The user's servers that run already: what each relay does when nothing can be said of its server. */
const relayOptions = (emit: EventSink) => ({
  emit,
  clock: systemClock,
  onFailure: (message: string) => emitServerEnd(emit, message),
});

/** Stands in, on loopback only, for each HTTP server that the plan forwards to. */
export async function startHttpForwards(
  { network }: Plan,
  emit: EventSink,
  servers: DisposalStack,
): Promise<readonly TcpForward[]> {
  const forwards: TcpForward[] = [];
  for (const forward of network.provisioner?.relay?.forward ?? []) {
    if (forward.service !== 'http') continue;
    const server = await startHttpForward(forward, relayOptions(emit));
    servers.defer(() => server.close());
    forwards.push({ address: forward.address, port: forward.port, hostPort: server.port });
  }
  return forwards;
}

/** Relays DHCP, and stands in for each TFTP server that the plan forwards to. */
export async function startRelays(
  { udp, udpAt }: Wire,
  { network }: Plan,
  emit: EventSink,
  servers: DisposalStack,
): Promise<void> {
  const { relay } = network.provisioner ?? {};
  if (relay === undefined) return;
  const { ipv6, serverIp } = network;
  const protocolOf = ({ address }: { address: string }) =>
    ipv6 === undefined ? relayV4(address, serverIp) : relayV6(ipv6.serverIp);
  const dhcp = await startDhcpRelay(udp, { server: relay.dhcp, protocolOf, ...relayOptions(emit) });
  servers.defer(() => dhcp.close());
  for (const forward of relay.forward) {
    if (forward.service !== 'tftp') continue;
    const tftp = startTftpForward(udpAt(forward.address), forward, relayOptions(emit));
    servers.defer(() => tftp.close());
  }
}
