import type { EventSink } from '../model/events.ts';
import { createMalformedLog, type MalformedLog } from './malformed.ts';
import { blockOf, defaultBlockBytes, opcodeOf, opcodes, parseTftp, tftpPort, type TftpOptions } from './tftp-codec.ts';

export interface TftpSniffer {
  /** One UDP datagram of a conversation of which one side may be TFTP; others cost a map look-up. */
  datagram(
    from: 'guest' | 'server',
    guestPort: number,
    serverPort: number,
    ipVersion: 4 | 6,
    payload: Buffer,
    emit: EventSink,
  ): void;
}

/** One read as seen from outside. Blocks are counted without bound, as in the wire modulo 65,536. */
interface Read {
  readonly file: string;
  readonly startedMs: number;
  readonly request: Buffer;
  /** TID of the server, 0 until it answered. */
  serverPort: number;
  blockBytes: number;
  /** Blocks that came in order, and their octets: repeated ones and those after a gap do not count. */
  blocks: number;
  bytes: number;
  /** The last of `blocks` was shorter than `blockBytes`. */
  ended: boolean;
  lastSeen: number;
}

const maxReads = 64;

/**
 * Observes TFTP of any server (RFC 1350, 2347, 2348, 7440) and tells of requests, option answers,
 * errors, and of each read whose last block the guest acknowledged. Lengths are counted, never believed.
 */
export function createTftpSniffer(now: () => number): TftpSniffer {
  const reads = new Map<number, Read>();
  let malformedLog: MalformedLog | undefined;
  let datagrams = 0;

  const request = (key: number, port: number, ipVersion: 4 | 6, payload: Buffer, emit: EventSink): void => {
    const packet = parseTftp(payload);
    if (packet.kind === 'malformed') {
      malformedLog ??= createMalformedLog(emit);
      malformedLog('guest', 'tftp', packet.reason);
    }
    if (packet.kind !== 'rrq') return;
    const before = reads.get(key);
    // A guest that heard nothing asks again; what it was sent so far still counts.
    if (before?.request.equals(payload)) return;
    if (!before && reads.size >= maxReads) reads.delete(leastRecent(reads));
    const file = packet.file.replace(/^\//, '');
    reads.set(key, {
      file,
      startedMs: now(),
      request: Buffer.from(payload),
      serverPort: 0,
      blockBytes: defaultBlockBytes,
      blocks: 0,
      bytes: 0,
      ended: false,
      lastSeen: datagrams,
    });
    emit({ source: 'wire', type: 'tftp-request', file, port, ipVersion, options: Object.fromEntries(packet.options) });
  };

  const answered = (read: Read, port: number, options: TftpOptions, emit: EventSink): void => {
    const blockBytes = Number(options.get('blksize') ?? defaultBlockBytes);
    if (read.blocks > 0 || !Number.isInteger(blockBytes) || blockBytes < 1) return;
    read.blockBytes = blockBytes;
    emit({ source: 'wire', type: 'tftp-oack', file: read.file, port, options: Object.fromEntries(options) });
  };

  const block = (read: Read, payload: Buffer): void => {
    if (read.ended || blockOf(payload) !== ((read.blocks + 1) & 0xffff)) return;
    const bytes = payload.length - 4;
    if (bytes > read.blockBytes) return;
    read.blocks += 1;
    read.bytes += bytes;
    read.ended = bytes < read.blockBytes;
  };

  return {
    datagram(from, guestPort, serverPort, ipVersion, payload, emit) {
      const key = guestPort * 2 + (ipVersion === 6 ? 1 : 0);
      const opcode = opcodeOf(payload);
      datagrams += 1;
      if (from === 'guest' && serverPort === tftpPort) {
        if (opcode === opcodes.rrq) request(key, guestPort, ipVersion, payload, emit);
        return;
      }
      const read = reads.get(key);
      if (!read) return;
      if (read.serverPort === 0 && from === 'server') read.serverPort = serverPort;
      if (serverPort !== read.serverPort) return;
      read.lastSeen = datagrams;

      if (opcode === opcodes.data && from === 'server') return block(read, payload);
      if (opcode === opcodes.ack && from === 'guest') {
        if (!read.ended || blockOf(payload) !== (read.blocks & 0xffff)) return;
        reads.delete(key);
        const { file, bytes, blocks, startedMs } = read;
        emit({ source: 'wire', type: 'tftp-complete', file, port: guestPort, bytes, blocks, ms: now() - startedMs });
        return;
      }
      const packet = opcode === opcodes.oack || opcode === opcodes.error ? parseTftp(payload) : undefined;
      if (packet?.kind === 'oack' && from === 'server') answered(read, guestPort, packet.options, emit);
      if (packet?.kind === 'error') {
        reads.delete(key);
        const { code, message } = packet;
        emit({ source: 'wire', type: 'tftp-error', from, file: read.file, port: guestPort, code, message });
      }
    },
  };
}

function leastRecent(reads: ReadonlyMap<number, Read>): number {
  let found = -1;
  let oldest = Number.POSITIVE_INFINITY;
  for (const [key, { lastSeen }] of reads) {
    if (lastSeen < oldest) [found, oldest] = [key, lastSeen];
  }
  return found;
}
