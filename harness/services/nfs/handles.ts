import { createHmac, randomBytes } from 'node:crypto';
import { tableBounds } from '../../model/bounds.ts';
import type { ServedEntry } from '../tree/served-entry.ts';

/** What a handle stands for, by its name in the tree. A folder is just a prefix of names: the tree has no listing. */
export type Node = { readonly kind: 'folder'; readonly name: string } | FileNode;

export interface FileNode {
  readonly kind: 'file';
  readonly name: string;
  readonly entry: ServedEntry;
  readonly lookedUpAtMs: number;
  /** Bytes sent since. */
  handedBytes: number;
}

/** A multiple of four: iPXE does not pad handles. */
const handleBytes = 16;

export interface Handles {
  /** The same for the same name while the server runs. */
  handleOf(node: Node): Buffer;
  /** Undefined for a handle not issued here, or evicted as the least recently used. */
  nodeOf(handle: Buffer): Node | undefined;
}

export function createHandles(): Handles {
  const secret = randomBytes(32);
  const nodes = new Map<string, Node>();

  const keep = (key: string, node: Node): void => {
    nodes.delete(key);
    nodes.set(key, node);
    const [oldest] = nodes.keys();
    if (oldest !== undefined && nodes.size > tableBounds.nfsHandles) nodes.delete(oldest);
  };

  return {
    handleOf(node) {
      const handle = createHmac('sha256', secret).update(`${node.kind} ${node.name}`).digest().subarray(0, handleBytes);
      keep(handle.toString('hex'), node);
      return handle;
    },
    nodeOf(handle) {
      const key = handle.toString('hex');
      const node = nodes.get(key);
      if (node) keep(key, node);
      return node;
    },
  };
}
