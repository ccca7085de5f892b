import { readXdr, type XdrReader } from './xdr.ts';

/** ONC RPC programs, with the versions supported and the procedures a boot needs. */
export const portmap = { program: 100_000, version: 2, procedures: { null: 0, getPort: 3 } } as const;
export const mount = {
  program: 100_005,
  version: 3,
  procedures: { null: 0, mount: 1, unmount: 3, unmountAll: 4, exports: 5 },
} as const;
export const nfs = {
  program: 100_003,
  version: 3,
  procedures: { null: 0, getAttributes: 1, lookup: 3, access: 4, read: 6, fsInfo: 19 },
} as const;

/** Guest-facing (RFC 1813 §2.1). */
export const nfsPort = 2049;

const messageTypes = { call: 0, reply: 1 } as const;
export const rpcVersion = 2;
const maxCredentialBytes = 400;

/** Longest file handle, name and mount path (RFC 1813 §2.3.3, §5.1.2). */
export const maxHandleBytes = 64;
export const maxNameBytes = 255;
export const maxPathBytes = 1024;

/** A record ends with a fragment that has the top bit set (RFC 5531 §11). */
export const recordMarkBytes = 4;
export const lastFragment = 0x8000_0000;

export interface RpcCall {
  readonly xid: number;
  readonly rpcVersion: number;
  readonly program: number;
  readonly version: number;
  readonly procedure: number;
  /** Flavour of the credential: 0 none, 1 Unix ids (RFC 5531 §8.1). */
  readonly flavour: number;
  readonly args: XdrReader;
}

/** A CALL (RFC 5531 §9), or undefined if the record is not a call or is too short. */
export function parseCall(record: Buffer): RpcCall | undefined {
  const args = readXdr(record);
  const xid = args.uint32();
  const type = args.uint32();
  const [version, program, programVersion, procedure] = [args.uint32(), args.uint32(), args.uint32(), args.uint32()];
  const flavour = args.uint32();
  args.opaque(maxCredentialBytes);
  args.uint32();
  args.opaque(maxCredentialBytes);
  if (args.short || type !== messageTypes.call) return undefined;
  return { xid, rpcVersion: version, program, version: programVersion, procedure, flavour, args };
}

/** The results of an accepted and successful REPLY, or undefined for any other. */
export function parseReply(record: Buffer): { xid: number; results: XdrReader } | undefined {
  const results = readXdr(record);
  const xid = results.uint32();
  const [type, denied] = [results.uint32(), results.uint32()];
  results.uint32();
  results.opaque(maxCredentialBytes);
  const status = results.uint32();
  return results.short || type !== messageTypes.reply || denied || status ? undefined : { xid, results };
}

/** First words of replies, after the xid (RFC 5531 §9). A version range follows the mismatches. */
export const replies = {
  success: [messageTypes.reply, 0, 0, 0, 0],
  programUnavailable: [messageTypes.reply, 0, 0, 0, 1],
  programMismatch: [messageTypes.reply, 0, 0, 0, 2],
  procedureUnavailable: [messageTypes.reply, 0, 0, 0, 3],
  garbageArguments: [messageTypes.reply, 0, 0, 0, 4],
  rpcMismatch: [messageTypes.reply, 1, 0, rpcVersion, rpcVersion],
  weakCredential: [messageTypes.reply, 1, 1, 5],
} as const;
