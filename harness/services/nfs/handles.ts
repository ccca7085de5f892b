import { createHmac, randomBytes } from 'node:crypto';
import { tableBounds } from '../../model/bounds.ts';
import type { ServedEntry } from '../tree/served-entry.ts';

/** What a handle stands for, `name` being the tree's. A folder is only how names begin: the tree lists none. */
export type Node = { readonly kind: 'folder'; readonly name: string } | FileNode;

export interface FileNode {
  readonly kind: 'file';
  readonly name: string;
  readonly entry: ServedEntry;
  readonly lookedUpAtMs: number;
  /** Bytes handed over since. */
  handedBytes: number;
}

/** A multiple of four: iPXE puts no padding behind a handle. */
const handleBytes = 16;

export interface Handles {
  /** The same for the same name, as long as the server runs. */
  handleOf(node: Node): Buffer;
  /** Undefined for what was not made here, or was not used since as many others were as are kept. */
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
