import type { EventSink } from '../../model/events.ts';
import { maxHandleBytes, maxNameBytes, nfs } from '../../wire/codecs/rpc.ts';
import { opaque, uint32s, words, type XdrReader } from '../../wire/codecs/xdr.ts';
import type { Clock } from '../clock.ts';
import type { TreeRefusal } from '../tree/refusal.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { attributes, knownAttributes, noAttributes } from './attributes.ts';
import type { FileNode, Handles, Node } from './handles.ts';
import type { RpcProgram } from './rpc-server.ts';

/** RFC 1813 §2.6. */
const statuses = { ok: 0, absent: 2, io: 5, accessDenied: 13, notFolder: 20, isFolder: 21, stale: 70 } as const;
const refusals: Record<TreeRefusal['cause'], number> = {
  'not-found': statuses.absent,
  'unsafe-name': statuses.accessDenied,
  unreadable: statuses.io,
};

/** iPXE asks for 100,000 bytes. A multiple of four: mid-file it takes padding for the next reply. */
const maxReadBytes = 128 * 1024;
/** ACCESS3_READ, ACCESS3_LOOKUP and ACCESS3_EXECUTE. */
const grantedAccess = 0x01 | 0x02 | 0x20;
const fileSystemProperties = 0x08; // FSF3_HOMOGENEOUS
const maxFileBytes = Number.MAX_SAFE_INTEGER;

interface NfsServices {
  readonly tree: ServedTree;
  readonly handles: Handles;
  readonly emit: EventSink;
  readonly clock: Clock;
}

/** The read-only part of NFS 3 (RFC 1813) that fetching a file needs; the rest is PROC_UNAVAIL. */
export function nfsProgram({ tree, handles, emit, clock }: NfsServices): RpcProgram {
  const { procedures } = nfs;
  const nodeArgument = (args: XdrReader): Node | undefined => handles.nodeOf(args.opaque(maxHandleBytes));
  const failed = (status: number): Buffer[] => [uint32s(status), noAttributes];
  const refused = (file: string, note: string): void =>
    emit({ source: 'nfs', type: 'served', file, bytes: 0, ms: 0, note });
  const served = ({ name, lookedUpAtMs, handedBytes }: FileNode): void =>
    emit({ source: 'nfs', type: 'served', file: name, bytes: handedBytes, ms: clock.now() - lookedUpAtMs });

  return {
    ...nfs,
    procedures: {
      [procedures.null]: () => [],
      [procedures.getAttributes]: (args) => {
        const node = nodeArgument(args);
        return node ? [uint32s(statuses.ok), attributes(node)] : [uint32s(statuses.stale)];
      },
      [procedures.lookup]: async (args) => {
        const folder = nodeArgument(args);
        const name = args.opaque(maxNameBytes).toString();
        if (args.short) return undefined;
        if (!folder) return failed(statuses.stale);
        if (folder.kind !== 'folder') return failed(statuses.notFolder);
        if (name === '' || name.includes('/')) return failed(statuses.accessDenied);
        const path = [folder.name, name].filter(Boolean).join('/');
        const found = await tree.lookup(path);
        if (found.kind === 'file') {
          const { name } = found;
          const file: FileNode = { kind: 'file', name, entry: found, lookedUpAtMs: clock.now(), handedBytes: 0 };
          return [uint32s(statuses.ok), opaque(handles.handleOf(file)), ...knownAttributes(file), noAttributes];
        }
        refused(path, found.kind === 'redirect' ? 'NFS has no redirects' : found.reason);
        return failed(found.kind === 'redirect' ? statuses.absent : refusals[found.cause]);
      },
      [procedures.access]: (args) => {
        const node = nodeArgument(args);
        const wanted = args.uint32();
        return node
          ? [uint32s(statuses.ok), ...knownAttributes(node), uint32s((wanted & grantedAccess) >>> 0)]
          : failed(statuses.stale);
      },
      [procedures.read]: async (args) => {
        const node = nodeArgument(args);
        const [offset, wanted] = [args.uint64(), args.uint32()];
        if (args.short) return undefined;
        if (!node) return failed(statuses.stale);
        if (node.kind !== 'file') return failed(statuses.isFolder);
        const { entry } = node;
        const bytes = Math.max(0, Math.min(wanted, maxReadBytes, entry.bytes - offset));
        const data = Buffer.allocUnsafe(bytes);
        try {
          if (bytes > 0) await entry.read(offset, bytes, data);
        } catch (error) {
          refused(node.name, (error as Error).message);
          return failed(statuses.io);
        }
        const isEnd = offset + bytes >= entry.bytes;
        node.handedBytes += bytes;
        if (isEnd) served(node);
        return [uint32s(statuses.ok), ...knownAttributes(node), uint32s(bytes, isEnd ? 1 : 0), opaque(data)];
      },
      [procedures.fsInfo]: (args) => {
        const node = nodeArgument(args);
        if (!node) return failed(statuses.stale);
        // Write sizes too, although read-only: libnfs refuses to mount without them.
        const lengths = [maxReadBytes, maxReadBytes, 4];
        const sizes = [...lengths, ...lengths, maxReadBytes, ...words(maxFileBytes), 0, 1];
        return [uint32s(statuses.ok), ...knownAttributes(node), uint32s(...sizes, fileSystemProperties)];
      },
    },
  };
}
