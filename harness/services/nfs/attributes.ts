import { uint32s, words } from '../../wire/codecs/xdr.ts';
import type { Node } from './handles.ts';

const fileTypes = { file: 1, folder: 2 } as const;
const modes = { file: 0o444, folder: 0o555 } as const;
const fileSystemId = 1;
const noTime = [0, 0] as const;

/** fattr3 (RFC 1813 §2.6). No client uses the times, and owners do not matter when everyone may read. */
export function attributes(node: Node): Buffer {
  const { kind } = node;
  const size = words(node.kind === 'file' ? node.entry.bytes : 0);
  const owner = [0, 0];
  const device = [0, 0];
  return uint32s(
    ...[fileTypes[kind], modes[kind], 1, ...owner, ...size, ...size, ...device, ...words(fileSystemId)],
    ...words(fileIdOf(node)),
    ...[...noTime, ...noTime, ...noTime],
  );
}

/** 32 bits of a hash (FNV-1a) of the name: clients tell files apart by it, and a collision does no harm. */
function fileIdOf({ kind, name }: Node): number {
  let hash = 0x811c_9dc5;
  for (const byte of Buffer.from(`${kind} ${name}`)) hash = Math.imul(hash ^ byte, 0x0100_0193) >>> 0;
  return hash;
}

/** post_op_attr (RFC 1813 §2.6). */
export const knownAttributes = (node: Node): Buffer[] => [uint32s(1), attributes(node)];
export const noAttributes = uint32s(0);
