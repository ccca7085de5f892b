import type { IpVersion } from '../../model/axes.ts';
import type { EventSink } from '../../model/events.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { RunningServer } from '../loopback-server.ts';
import type { ServedTree } from '../tree/served-tree.ts';
import { createHandles } from './handles.ts';
import { mountProgram } from './mount.ts';
import { nfsProgram } from './nfs-program.ts';
import { portmapProgram } from './portmap.ts';
import { startRpc } from './rpc-server.ts';

interface RpcServices {
  readonly emit: EventSink;
  /** Loopback of this family; QEMU's user-mode stack maps a guest's IPv6 to the host's. */
  readonly ipVersion?: IpVersion;
}

/** The port mapper, which gives a guest the port of MOUNT and NFS. */
export const startPortmap = (services: RpcServices): Promise<RunningServer> => startRpc([portmapProgram], services);

/** MOUNT and NFS 3 on one port, reading from the tree. */
export function startNfs({
  tree,
  clock = systemClock,
  ...services
}: RpcServices & { readonly tree: ServedTree; readonly clock?: Clock }): Promise<RunningServer> {
  const handles = createHandles();
  return startRpc([mountProgram(handles), nfsProgram({ tree, handles, emit: services.emit, clock })], services);
}
