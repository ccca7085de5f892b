import type { UntimedEvent } from '../../harness/model/events.ts';
import { faultSchema } from '../../harness/model/faults.ts';
import type { ServedFile } from '../../harness/model/scenario.ts';
import { serverFaults } from '../../harness/services/faults.ts';
import { startTftp } from '../../harness/services/tftp/server.ts';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { parseTftp, type TftpPacket } from '../../harness/wire/codecs/tftp.ts';
import { encodeRequest } from './client-packets.ts';
import { createManualClock } from './manual-clock.ts';
import { createMemoryEndpoint, type Sent } from './memory-endpoint.ts';

export const guest = { mac: '52:54:00:12:34:56', ip: '192.168.10.20', port: 2070 };

/** A server without a network, and a guest that sends by hand; look-ups in memory are awaited by `settle`. */
export function setUp(served: Record<string, ServedFile>, ...faults: object[]) {
  const clock = createManualClock();
  const events: UntimedEvent[] = [];
  const sent: Sent[] = [];
  const udp = createMemoryEndpoint((one) => sent.push(one));
  const emit = (event: UntimedEvent) => void events.push(event);
  const server = startTftp(udp, {
    ...{ tree: openTree(served), emit, clock },
    faults: serverFaults(
      'tftp',
      faults.map((fault) => faultSchema.parse({ server: 'tftp', ...fault })),
      { now: clock.now, hasReached: () => false, emit },
    ),
  });
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    clock,
    events,
    udp,
    server,
    settle,
    /** What was sent since the last call, parsed. */
    taken: (): TftpPacket[] => sent.splice(0).map(({ payload }) => parseTftp(payload)),
    takenRaw: () => sent.splice(0),
    async request(file: string, options: Record<string, string> = {}, from = guest, mode = 'octet') {
      udp.deliver(from, 69, encodeRequest({ kind: 'rrq', file, mode, options: new Map(Object.entries(options)) }));
      await settle();
    },
    /** To the port of the only transfer, or of the latest. */
    send: (payload: Buffer, from = guest) => udp.deliver(from, Math.max(...udp.openPorts()), payload),
  };
}

export const blocksOf = (packets: readonly TftpPacket[]): number[] =>
  packets.flatMap((packet) => (packet.kind === 'data' ? [packet.block] : []));
