import { tableBounds } from '../../model/bounds.ts';
import type { EventSink } from '../../model/events.ts';
import { exportedFolder, nameOf } from '../../model/served-name.ts';
import {
  lastFragment,
  maxHandleBytes,
  maxNameBytes,
  maxPathBytes,
  mount,
  nfs,
  parseCall,
  parseReply,
  recordMarkBytes,
} from '../codecs/rpc.ts';
import type { XdrReader } from '../codecs/xdr.ts';
import { createStreamWindow, type StreamWindow } from './stream-window.ts';
import { type ConversationReader, createConversations } from './tcp-conversations.ts';

interface NfsSnifferOptions {
  readonly now: () => number;
  readonly emit: EventSink;
}

/** What is known about a handle: the name it was looked up by, and how far it was read without a gap. */
interface File {
  readonly name: string;
  readonly lookedUpAtMs: number;
  readTo: number;
}

/** Reads the results of a call; `end` is where the reply ends in the stream. */
type Answered = (results: XdrReader, end: number) => void;

/** Longer than any call that is served, and than the head of any reply. */
const callWindowBytes = 4096;
const replyHeadBytes = 512;
const fileAttributeBytes = 84;

/** MOUNT and NFS 3 as the guest sees them: handles are mapped to names, contents are tracked by position only. */
export function createNfsSniffer({ now, emit }: NfsSnifferOptions) {
  /** By handle, across all connections: iPXE mounts on one and reads on another. */
  const files = new Map<string, File>();

  function remember(handle: Buffer, name: string): void {
    const [oldest] = files.keys();
    if (oldest !== undefined && files.size >= tableBounds.sniffedHandles) files.delete(oldest);
    files.set(handle.toString('hex'), { name, lookedUpAtMs: now(), readTo: 0 });
  }

  function onMount(args: XdrReader): Answered | undefined {
    const folder = exportedFolder(args.opaque(maxPathBytes).toString());
    return (results) => {
      const status = results.uint32();
      const handle = results.opaque(maxHandleBytes);
      if (!results.short && status === 0 && folder !== undefined) remember(handle, folder);
    };
  }

  function onLookup(args: XdrReader, port: number): Answered | undefined {
    const folder = files.get(args.opaque(maxHandleBytes).toString('hex'));
    const file = nameOf(`${folder?.name ?? ''}/${args.opaque(maxNameBytes)}`);
    return (results) => {
      const status = results.uint32();
      const handle = status === 0 ? results.opaque(maxHandleBytes) : undefined;
      if (results.short) return;
      if (handle) remember(handle, file);
      emit({ source: 'wire', type: 'nfs-lookup', file, status, port });
    };
  }

  function onRead(args: XdrReader, complete: (file: File, end: number) => void): Answered | undefined {
    const file = files.get(args.opaque(maxHandleBytes).toString('hex'));
    const offset = args.uint64();
    if (file === undefined) return undefined;
    return (results, end) => {
      const status = results.uint32();
      if (results.uint32() === 1) results.skip(fileAttributeBytes);
      const [bytes, isEnd] = [results.uint32(), results.uint32()];
      if (results.short || status !== 0 || offset > file.readTo) return;
      file.readTo = Math.max(file.readTo, offset + bytes);
      if (isEnd) complete(file, end);
    };
  }

  return createConversations((port): ConversationReader => {
    const calls = new Map<number, Answered>();
    /** Files whose last bytes the guest has not acknowledged yet. */
    let deliveries: { file: File; end: number }[] = [];

    const deliver = (file: File, end: number): void => {
      if (deliveries.length < tableBounds.sniffedCalls) deliveries.push({ file, end });
    };

    const onCall = (record: Buffer): void => {
      const call = parseCall(record);
      if (call === undefined || calls.size >= tableBounds.sniffedCalls) return;
      const { program, procedure, args, xid } = call;
      const answered =
        program === mount.program && procedure === mount.procedures.mount
          ? onMount(args)
          : program !== nfs.program
            ? undefined
            : procedure === nfs.procedures.lookup
              ? onLookup(args, port)
              : procedure === nfs.procedures.read
                ? onRead(args, deliver)
                : undefined;
      if (answered && !args.short) calls.set(xid, answered);
    };

    const onReply = (head: Buffer, end: number): void => {
      const xid = head.readUInt32BE(0);
      const answered = calls.get(xid);
      calls.delete(xid);
      const reply = parseReply(head);
      if (reply) answered?.(reply.results, end);
    };

    const readers = {
      guest: createRecordReader(callWindowBytes, onCall),
      server: createRecordReader(replyHeadBytes, onReply),
    };
    return {
      data: (from, position, frame, start, end) => readers[from](position, frame, start, end),
      acknowledged(position) {
        if (deliveries.length === 0) return;
        const done = deliveries.filter(({ end }) => position >= end);
        deliveries = deliveries.filter(({ end }) => position < end);
        for (const { file } of done) {
          const ms = now() - file.lookedUpAtMs;
          emit({ source: 'wire', type: 'nfs-complete', file: file.name, port, bytes: file.readTo, ms });
        }
      },
    };
  });
}

/** Passes on each single-fragment record, or as much as the window holds, and where it ends in the stream. */
function createRecordReader(windowBytes: number, onRecord: (head: Buffer, end: number) => void) {
  let window: StreamWindow | undefined = createStreamWindow(windowBytes);

  /** True if the next record may be read. */
  function readRecord(records: StreamWindow): boolean {
    const known = records.known();
    if (known.length < recordMarkBytes) return false;
    const mark = known.readUInt32BE(0);
    const total = recordMarkBytes + (mark % lastFragment);
    // No client here splits records; a conversation that does is not followed.
    if (mark < lastFragment || total < 2 * recordMarkBytes) {
      window = undefined;
      return false;
    }
    if (known.length < Math.min(total, windowBytes)) return false;
    const end = records.base + total;
    onRecord(known.subarray(recordMarkBytes, Math.min(total, windowBytes)), end);
    records.advanceTo(end);
    return true;
  }

  return (position: number, frame: Buffer, start: number, end: number): void => {
    // Each record moves the window over more of the segment.
    do window?.put(position, frame, start, end);
    while (window !== undefined && readRecord(window));
  };
}
