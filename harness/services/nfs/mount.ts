import { exportedFolder, parseName } from '../../model/served-name.ts';
import { maxPathBytes, mount } from '../../wire/codecs/rpc.ts';
import { opaque, uint32s } from '../../wire/codecs/xdr.ts';
import type { Handles } from './handles.ts';
import type { RpcProgram } from './rpc-server.ts';

/** RFC 1813 §5.1.4. */
const statuses = { ok: 0, absent: 2, accessDenied: 13 } as const;
const authNone = 0;
const authSys = 1;

/**
 * MOUNT (RFC 1813 appendix I). The export and every folder below it can be mounted: iPXE mounts the folder of the file
 * it wants, and to the tree a folder is just a prefix of names.
 */
export function mountProgram(handles: Handles): RpcProgram {
  return {
    ...mount,
    procedures: {
      [mount.procedures.null]: () => [],
      [mount.procedures.mount]: (args) => {
        const path = args.opaque(maxPathBytes);
        if (args.short) return undefined;
        const folder = exportedFolder(path.toString());
        if (folder === undefined) return [uint32s(statuses.absent)];
        const name = parseName(folder);
        if (typeof name !== 'string') return [uint32s(statuses.accessDenied)];
        const handle = handles.handleOf({ kind: 'folder', name });
        return [uint32s(statuses.ok), opaque(handle), uint32s(2, authNone, authSys)];
      },
      [mount.procedures.unmount]: () => [],
      [mount.procedures.unmountAll]: () => [],
      /** An empty list: the tree has no listing. */
      [mount.procedures.exports]: () => [uint32s(0)],
    },
  };
}
