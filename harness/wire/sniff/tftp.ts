import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import { nameOf } from '../../model/served-name.ts';
import {
  blockOf,
  defaultBlockBytes,
  errorCodes,
  opcodeOf,
  opcodes,
  parseTftp,
  type TftpOptions,
  tftpPort,
} from '../codecs/tftp.ts';
import { imageHeadBytes, imageOf } from './image-of.ts';

export interface TftpSniffer {
  /** One UDP datagram that may be TFTP; any other costs one map look-up. */
  datagram(datagram: SniffedDatagram): void;
}

interface SniffedDatagram {
  readonly from: 'guest' | 'server';
  readonly guestPort: number;
  readonly serverPort: number;
  readonly ipVersion: 4 | 6;
  readonly payload: Buffer;
}

/** What a guest port asked for; several transfer IDs may answer, and the guest follows one. */
interface Request {
  readonly file: string;
  readonly startedMs: number;
  readonly bytes: Buffer;
  lastSeen: number;
}

/** One answer, seen from outside. Blocks are counted without bound; on the wire they wrap at 65,536. */
interface Read {
  readonly file: string;
  readonly startedMs: number;
  blockBytes: number;
  hasOack: boolean;
  /** Blocks that came in order, and their bytes; repeats and blocks after a gap do not count. */
  blocks: number;
  bytes: number;
  /** DATA packets with one of `blocks` again. */
  resent: number;
  /** The first bytes, for what kind of file it is. */
  readonly head: Buffer;
  /** The last of `blocks` was shorter than `blockBytes`. */
  ended: boolean;
  /** The block last acknowledged, how often that was repeated, and whether the next block was sent in between. */
  acknowledged: number;
  repeats: number;
  sentSince: boolean;
  lastSeen: number;
}

/** Repeats of one acknowledgement that make a stall: losing one window explains only the first. */
const stalledRepeats = 2;
const answers: readonly number[] = [opcodes.data, opcodes.oack, opcodes.error];

/**
 * Observes TFTP of any server (RFC 1350, 2347, 2348, 7440) and reports requests, option answers,
 * errors, and each read whose last block the guest acknowledged. Lengths are counted, never trusted.
 */
export function createTftpSniffer(now: () => number, emit: EventSink): TftpSniffer {
  const requests = new Map<number, Request>();
  const reads = new Map<number, Read>();
  let datagrams = 0;

  const request = (key: number, { guestPort: port, ipVersion, payload }: SniffedDatagram): void => {
    const packet = parseTftp(payload);
    if (packet.kind === 'malformed') {
      emit({ source: 'wire', type: 'malformed', from: 'guest', layer: 'tftp', reason: packet.reason, count: 1 });
    }
    // A guest that got no answer asks again: still the same request.
    if (packet.kind !== 'rrq' || requests.get(key)?.bytes.equals(payload)) return;
    const file = nameOf(packet.file);
    remember(requests, key, { file, startedMs: now(), bytes: Buffer.from(payload), lastSeen: datagrams });
    emit({ source: 'wire', type: 'tftp-request', file, port, ipVersion, options: Object.fromEntries(packet.options) });
  };

  const begin = (asked: Request, readKey: number): Read => {
    const { file, startedMs } = asked;
    const counted = { blocks: 0, bytes: 0, resent: 0, ended: false, lastSeen: datagrams };
    const acknowledgements = { acknowledged: 0, repeats: 0, sentSince: false };
    return remember(reads, readKey, {
      file,
      startedMs,
      blockBytes: defaultBlockBytes,
      hasOack: false,
      head: Buffer.alloc(imageHeadBytes),
      ...counted,
      ...acknowledgements,
    });
  };

  const answerOptions = (read: Read, port: number, options: TftpOptions): void => {
    const blockBytes = Number(options.get('blksize') ?? defaultBlockBytes);
    if (read.hasOack || read.blocks > 0 || !Number.isInteger(blockBytes) || blockBytes < 1) return;
    read.hasOack = true;
    read.blockBytes = blockBytes;
    emit({ source: 'wire', type: 'tftp-oack', file: read.file, port, options: Object.fromEntries(options) });
  };

  return {
    datagram(datagram) {
      const { from, guestPort, serverPort, ipVersion, payload } = datagram;
      const requestKey = guestPort * 2 + (ipVersion === 6 ? 1 : 0);
      const readKey = requestKey * 65_536 + serverPort;
      const opcode = opcodeOf(payload);
      datagrams += 1;
      if (from === 'guest' && serverPort === tftpPort && (opcode === opcodes.rrq || opcode === opcodes.wrq)) {
        return request(requestKey, datagram);
      }
      let read = reads.get(readKey);
      if (!read) {
        const asked = requests.get(requestKey);
        if (!asked || from === 'guest' || !answers.includes(opcode)) return;
        read = begin(asked, readKey);
      }
      read.lastSeen = datagrams;

      if (opcode === opcodes.data && from === 'server') return countBlock(read, payload);
      if (opcode === opcodes.ack && from === 'guest') {
        if (!read.ended || blockOf(payload) !== (read.blocks & 0xffff)) {
          if (countRepeat(read, payload)) {
            const { file, acknowledged: block } = read;
            emit({ source: 'wire', type: 'tftp-stalled', file, port: guestPort, block });
          }
          return;
        }
        reads.delete(readKey);
        requests.delete(requestKey);
        const { file, bytes, blocks, resent: repeats, startedMs } = read;
        const image = imageOf(read.head.subarray(0, bytes));
        const ms = now() - startedMs;
        emit({ source: 'wire', type: 'tftp-complete', file, port: guestPort, bytes, blocks, repeats, image, ms });
        return;
      }
      const packet = opcode === opcodes.oack || opcode === opcodes.error ? parseTftp(payload) : undefined;
      if (packet?.kind === 'oack' && from === 'server') answerOptions(read, guestPort, packet.options);
      if (packet?.kind === 'error') {
        reads.delete(readKey);
        // Guests reject a second answer to a request as "unknown transfer ID" and continue with the first.
        if (packet.code !== errorCodes.unknownTid) requests.delete(requestKey);
        const { code, message } = packet;
        emit({ source: 'wire', type: 'tftp-error', from, file: read.file, port: guestPort, code, message });
      }
    },
  };
}

/** True once, when the guest has repeated its acknowledgement often enough to be stalled. */
function countRepeat(read: Read, payload: Buffer): boolean {
  const behind = (read.blocks - blockOf(payload)) & 0xffff;
  if (behind > read.blocks) return false;
  const block = read.blocks - behind;
  if (block !== read.acknowledged) {
    read.acknowledged = block;
    read.repeats = 0;
    read.sentSince = false;
    return false;
  }
  if (!read.sentSince) return false;
  read.sentSince = false;
  read.repeats += 1;
  return read.repeats === stalledRepeats;
}

/** Block numbers wrap: the one nearest to the last one counted. */
function wasCounted({ blocks }: Read, block: number): boolean {
  const behind = (blocks - block) & 0xffff;
  return behind < blocks && behind < 0x8000;
}

function countBlock(read: Read, payload: Buffer): void {
  const bytes = payload.length - 4;
  if (blockOf(payload) === ((read.acknowledged + 1) & 0xffff)) read.sentSince = true;
  const isNext = blockOf(payload) === ((read.blocks + 1) & 0xffff);
  if (wasCounted(read, blockOf(payload))) read.resent += 1;
  if (!isNext || read.ended || bytes > read.blockBytes) return;
  if (read.bytes < imageHeadBytes) payload.copy(read.head, read.bytes, 4);
  read.blocks += 1;
  read.bytes += bytes;
  read.ended = bytes < read.blockBytes;
}

/** Adds to a bounded map; the entry silent longest is evicted. */
function remember<T extends { lastSeen: number }>(map: Map<number, T>, key: number, value: T): T {
  if (!map.has(key) && map.size >= tableBounds.sniffedTransfers) {
    const silent = [...map].reduce((one, other) => (other[1].lastSeen < one[1].lastSeen ? other : one));
    map.delete(silent[0]);
  }
  map.set(key, value);
  return value;
}
