import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';
import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import { endpointText, isIp6Host, type PlannedForward } from '../../model/relay.ts';
import { encodeError, errorCodes, opcodeOf, opcodes } from '../../wire/codecs/tftp.ts';
import { createGuard } from '../../wire/guard.ts';
import type { Datagram, UdpEndpoint, UdpPeer, UdpPort } from '../../wire/stack/udp-endpoint.ts';
import type { Clock } from '../clock.ts';
import type { RunningRelay } from './dhcp-relay.ts';
import { failureText, loopbackAddress6, openLoopbackSocket } from './loopback-socket.ts';

export interface ForwardOptions {
  readonly emit: EventSink;
  readonly clock: Clock;
  /** Nothing can be said of the server. */
  onFailure(message: string): void;
}

/** A transfer between a guest's port and a server's, each known to the other side by one here (RFC 1350 §4). */
interface Association {
  readonly peer: UdpPeer;
  readonly request: Buffer;
  /** On the guest's network. */
  readonly tid: UdpPort;
  /** To the port that is asked, which is how a closed one shows; and to the server's transfer ID, once known. */
  readonly sockets: readonly [asking: Socket, transferring: Socket];
  serverTid?: number;
  /** The guest has answered the server: it is no longer asking. */
  answered: boolean;
  lastMs: number;
}

/** After so long without a datagram another transfer may take its place. */
const idleMs = 5_000;

const keyOf = ({ ip, port }: UdpPeer): string => `${ip} ${port}`;

/** Two sockets with one port: the kernel gives the first what comes from the port it is connected to, and the second the rest. */
async function openSockets({ host, port }: PlannedForward['to']): Promise<[Socket, Socket]> {
  const address = isIp6Host(host) ? loopbackAddress6 : '127.0.0.1';
  const asking = await openLoopbackSocket(address, 0);
  try {
    asking.connect(port, host);
    await once(asking, 'connect');
    return [asking, await openLoopbackSocket(address, asking.address().port)];
  } catch (error) {
    asking.close();
    throw error;
  }
}

/**
 * Passes read requests at an address of the guest's network on to a TFTP server on loopback, and the datagrams of each
 * transfer to and fro. Writing is refused: the server is somebody's. So many transfers at once as the harness's own serves.
 */
export function startTftpForward(
  udp: UdpEndpoint,
  { port, address, to }: PlannedForward,
  { emit, clock, onFailure }: ForwardOptions,
): RunningRelay {
  const guard = createGuard(emit);
  const associations = new Map<string, Association>();
  let opening = 0;
  let closed = false;

  function end(association: Association): void {
    const key = keyOf(association.peer);
    if (associations.get(key) !== association) return;
    associations.delete(key);
    association.tid.close();
    for (const socket of association.sockets) socket.close();
  }

  function makeRoom(): boolean {
    if (associations.size + opening < tableBounds.tftpTransfers) return true;
    const idle = [...associations.values()].find(({ lastMs }) => clock.now() - lastMs > idleMs);
    if (idle !== undefined) end(idle);
    return idle !== undefined;
  }

  function refuse(peer: UdpPeer, code: number, message: string): void {
    const tid = udp.bindEphemeral(() => {});
    tid.send(encodeError(code, message), peer);
    tid.close();
  }

  function ask({ from, payload }: Datagram): void {
    const opcode = opcodeOf(payload);
    if (opcode === opcodes.wrq) refuse(from, errorCodes.accessViolation, 'Only reading is forwarded');
    if (opcode !== opcodes.rrq) return;
    const request = Buffer.from(payload);
    const running = associations.get(keyOf(from));
    if (running !== undefined && !running.answered && running.request.equals(request)) {
      // Once the server has answered, it repeats that by itself.
      if (running.serverTid === undefined) sendTo(running, request);
      return;
    }
    if (running !== undefined) end(running);
    if (makeRoom()) open(request, { ...from });
    else refuse(from, errorCodes.undefined, 'Too many transfers');
  }

  const open = guard('a forwarded TFTP transfer', async (request: Buffer, peer: UdpPeer) => {
    opening++;
    const sockets = await openSockets(to).finally(() => opening--);
    if (closed || associations.has(keyOf(peer))) {
      for (const socket of sockets) socket.close();
      return;
    }
    const tid = udp.bindEphemeral((datagram) => fromGuest(association, datagram));
    const association: Association = { peer, request, tid, sockets, answered: false, lastMs: clock.now() };
    associations.set(keyOf(peer), association);
    const receive = guard('a forwarded TFTP datagram', (payload: Buffer, from: RemoteInfo) =>
      fromServer(association, payload, from),
    );
    for (const socket of sockets) socket.on('message', receive).on('error', guard('a forwarded TFTP transfer', failed));
    sendTo(association, request);
  });

  function fromGuest(association: Association, { from, payload }: Datagram): void {
    if (keyOf(from) !== keyOf(association.peer) || association.serverTid === undefined) return;
    association.lastMs = clock.now();
    association.answered = true;
    const isLast = opcodeOf(payload) === opcodes.error;
    sendTo(association, Buffer.from(payload), () => {
      if (isLast) end(association);
    });
  }

  function fromServer(association: Association, payload: Buffer, from: RemoteInfo): void {
    if (from.address !== to.host) return;
    association.serverTid ??= from.port;
    // Another transfer ID belongs to another transfer (RFC 1350 §4).
    if (from.port !== association.serverTid) return;
    association.lastMs = clock.now();
    association.tid.send(payload, association.peer);
    if (opcodeOf(payload) === opcodes.error) end(association);
  }

  function sendTo({ sockets: [asking, transferring], serverTid }: Association, payload: Buffer, done = () => {}): void {
    const sent = guard('a forwarded TFTP datagram', (error: NodeJS.ErrnoException | null) => {
      if (error) failed(error);
      done();
    });
    if (serverTid === undefined || serverTid === to.port) asking.send(payload, sent);
    else transferring.send(payload, serverTid, to.host, sent);
  }

  function failed(error: NodeJS.ErrnoException): void {
    onFailure(failureText({ what: 'TFTP', at: to, over: 'UDP' }, error));
  }

  const listener = udp.bind(port, ask);
  emit({ source: 'provisioner', type: 'relaying', service: 'tftp', at: `${address}:${port}`, to: endpointText(to) });
  return {
    close() {
      closed = true;
      listener.close();
      for (const association of [...associations.values()]) end(association);
    },
  };
}
