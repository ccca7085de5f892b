import type { UntimedEvent } from '../../harness/model/events.ts';
import { startTftp } from '../../harness/services/tftp/server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { parseTftp } from '../../harness/wire/codecs/tftp.ts';
import { randomFrom } from '../../harness/wire/faults/random.ts';
import { createTftpSniffer } from '../../harness/wire/sniff/tftp.ts';
import { guest } from './bench.ts';
import { encodeAck, encodeRequest } from './client-packets.ts';
import { createManualClock } from './manual-clock.ts';
import { createMemoryEndpoint } from './memory-endpoint.ts';

/** Shares of the packets. */
export interface Faults {
  readonly loss: number;
  readonly duplication: number;
  readonly reordering: number;
}

/** A whole read over a bad link, by a guest that acknowledges as edk2 does: each window, and what it did not expect. */
export async function readOverLink(content: string, options: Record<string, string>, faults: Faults, seed: number) {
  const clock = createManualClock();
  const random = randomFrom(seed);
  const events: UntimedEvent[] = [];
  const emit = (event: UntimedEvent) => events.push(event);
  const sniffer = createTftpSniffer(clock.now, emit);
  const windowBlocks = Number(options.windowsize ?? 1);
  const got: Buffer[] = [];
  let dataPackets = 0;
  let blockBytes = 512;
  let unacknowledged = 0;
  let serverPort = 69;
  let isDone = false;
  let lastSent = encodeRequest({ kind: 'rrq', file: 'file', mode: 'octet', options: new Map(Object.entries(options)) });
  let cancelTimeout = () => {};

  const overLink = (deliver: () => void) => {
    if (random() < faults.loss) return;
    const copies = random() < faults.duplication ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      clock.setTimer(deliver, 1 + (random() < faults.reordering ? 5 * random() : 0));
    }
  };
  const sendFromGuest = (payload: Buffer) => {
    lastSent = payload;
    const port = serverPort;
    cancelTimeout();
    if (!isDone) cancelTimeout = clock.setTimer(() => sendFromGuest(lastSent), 2500);
    sniffer.datagram({ from: 'guest', guestPort: guest.port, serverPort: port, ipVersion: 4, payload });
    overLink(() => udp.deliver(guest, port, payload));
  };
  const acknowledge = () => {
    unacknowledged = 0;
    sendFromGuest(encodeAck(got.length & 0xffff));
  };
  const receive = (fromPort: number, payload: Buffer) => {
    const packet = parseTftp(payload);
    if (serverPort === 69) serverPort = fromPort;
    if (fromPort !== serverPort) return;
    if (packet.kind === 'oack') {
      blockBytes = Number(packet.options.get('blksize') ?? 512);
      if (got.length === 0) acknowledge();
    }
    if (packet.kind !== 'data') return;
    if (isDone || packet.block !== ((got.length + 1) & 0xffff)) return acknowledge();
    got.push(packet.data);
    unacknowledged += 1;
    isDone = packet.data.length < blockBytes;
    if (isDone || unacknowledged === windowBlocks) acknowledge();
  };
  const udp = createMemoryEndpoint(({ fromPort, payload }) => {
    if (parseTftp(payload).kind === 'data') dataPackets += 1;
    sniffer.datagram({ from: 'server', guestPort: guest.port, serverPort: fromPort, ipVersion: 4, payload });
    overLink(() => receive(fromPort, payload));
  });
  startTftp(udp, { tree: openTree({ file: { text: content } }), emit, clock });
  sendFromGuest(lastSent);
  const ended = () => events.some(({ source }) => source === 'tftp');
  while (!ended()) {
    clock.step();
    // Look-ups are promises.
    if (got.length === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { received: Buffer.concat(got).toString('latin1'), dataPackets, blocks: got.length, events };
}

/** Text of this length, always the same. */
export function contentOf(bytes: number): string {
  const random = randomFrom(bytes);
  return Array.from({ length: bytes }, () => String.fromCharCode(32 + Math.floor(random() * 90))).join('');
}
