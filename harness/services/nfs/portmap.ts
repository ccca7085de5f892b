import { mount, nfs, nfsPort, portmap } from '../../wire/codecs/rpc.ts';
import { uint32s } from '../../wire/codecs/xdr.ts';
import type { RpcProgram } from './rpc-server.ts';

const tcp = 6;
const guestPorts = [
  { ...mount, port: nfsPort },
  { ...nfs, port: nfsPort },
];

/** Port 0 means that a program is not registered (RFC 1833 §3). */
export const portmapProgram: RpcProgram = {
  ...portmap,
  procedures: {
    [portmap.procedures.null]: () => [],
    [portmap.procedures.getPort]: (args) => {
      const [program, version, protocol] = [args.uint32(), args.uint32(), args.uint32()];
      args.uint32();
      const known = guestPorts.find((one) => one.program === program && one.version === version && protocol === tcp);
      return [uint32s(known?.port ?? 0)];
    },
  },
};
