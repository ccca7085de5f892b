import { isUtf8 } from 'node:buffer';

/** Opcodes of RFC 1350 §5 and RFC 2347 (OACK). */
export const opcodes = { rrq: 1, wrq: 2, data: 3, ack: 4, error: 5, oack: 6 } as const;

/** Error codes of RFC 1350 §5 and RFC 2347 (8). */
export const errorCodes = {
  undefined: 0,
  notFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTid: 5,
  badOptions: 8,
} as const;

/** Well-known port for requests. */
export const tftpPort = 69;
/** Block length without a `blksize` option (RFC 1350 §2). */
export const defaultBlockBytes = 512;
/** Range of `blksize` (RFC 2348). */
export const blockBytesRange = { min: 8, max: 65464 } as const;

/** Options in the order they came, names in lower case (RFC 2347: they are case-insensitive). */
export type TftpOptions = ReadonlyMap<string, string>;

export interface TftpRequest {
  readonly kind: 'rrq' | 'wrq';
  readonly file: string;
  /** In lower case: `octet`, `netascii`, or whatever was asked for. */
  readonly mode: string;
  readonly options: TftpOptions;
}

export type TftpPacket =
  | TftpRequest
  | { readonly kind: 'data'; readonly block: number; readonly data: Buffer }
  | { readonly kind: 'ack'; readonly block: number }
  | { readonly kind: 'error'; readonly code: number; readonly message: string }
  | { readonly kind: 'oack'; readonly options: TftpOptions }
  | { readonly kind: 'malformed'; readonly reason: string };

/** Opcode of a datagram, or 0 if it is too short: a cheap look before `parseTftp`. */
export function opcodeOf(payload: Buffer): number {
  return payload.length < 2 ? 0 : payload.readUInt16BE(0);
}

/** Block of a DATA or ACK, or -1 if the datagram is too short: a cheap look before `parseTftp`. */
export function blockOf(payload: Buffer): number {
  return payload.length < 4 ? -1 : payload.readUInt16BE(2);
}

/** Parses one datagram. `data` is a view of `payload`. Never throws. */
export function parseTftp(payload: Buffer): TftpPacket {
  switch (opcodeOf(payload)) {
    case opcodes.rrq:
      return parseRequest('rrq', payload);
    case opcodes.wrq:
      return parseRequest('wrq', payload);
    case opcodes.data:
      return payload.length < 4
        ? malformed('DATA without a block number')
        : { kind: 'data', block: blockOf(payload), data: payload.subarray(4) };
    case opcodes.ack:
      return payload.length < 4 ? malformed('ACK without a block number') : { kind: 'ack', block: blockOf(payload) };
    case opcodes.error:
      return payload.length < 4
        ? malformed('ERROR without a code')
        : // Some clients leave out the terminating NUL.
          { kind: 'error', code: blockOf(payload), message: textUpToNul(payload, 4) };
    case opcodes.oack: {
      const options = parseOptions(payload, 2);
      return typeof options === 'string' ? malformed(`OACK with ${options}`) : { kind: 'oack', options };
    }
    default:
      return malformed(payload.length < 2 ? 'no opcode' : `opcode ${opcodeOf(payload)}`);
  }
}

export function encodeError(code: number, message: string): Buffer {
  return Buffer.concat([head(opcodes.error, code), text(message)]);
}

export function encodeOack(options: TftpOptions): Buffer {
  return Buffer.concat([head(opcodes.oack), encodeOptions(options)]);
}

function malformed(reason: string): TftpPacket {
  return { kind: 'malformed', reason };
}

function parseRequest(kind: 'rrq' | 'wrq', payload: Buffer): TftpPacket {
  const name = kind.toUpperCase();
  const fileEnd = payload.indexOf(0, 2);
  if (fileEnd < 0) return malformed(`${name} with an unterminated file name`);
  const modeEnd = payload.indexOf(0, fileEnd + 1);
  if (modeEnd < 0) return malformed(`${name} with an unterminated mode`);
  const file = payload.subarray(2, fileEnd);
  if (file.length === 0) return malformed(`${name} without a file name`);
  if (!isUtf8(file)) return malformed(`${name} with a file name that is not UTF-8`);
  const options = parseOptions(payload, modeEnd + 1);
  if (typeof options === 'string') return malformed(`${name} with ${options}`);
  const mode = payload.toString('latin1', fileEnd + 1, modeEnd).toLowerCase();
  return { kind, file: file.toString(), mode, options };
}

/** Far more options than exist; bounds the cost of a datagram full of them. */
const maxOptions = 64;

function parseOptions(payload: Buffer, from: number): TftpOptions | string {
  const options = new Map<string, string>();
  for (let at = from; at < payload.length; ) {
    const nameEnd = payload.indexOf(0, at);
    // Old PXE ROMs pad a request with zeros.
    if (nameEnd === at && payload.subarray(at).every((byte) => byte === 0)) return options;
    const valueEnd = nameEnd < 0 ? -1 : payload.indexOf(0, nameEnd + 1);
    if (nameEnd <= at || valueEnd < 0) return 'a truncated option';
    if (options.size === maxOptions) return `more than ${maxOptions} options`;
    const name = payload.toString('latin1', at, nameEnd).toLowerCase();
    if (!options.has(name)) options.set(name, payload.toString('latin1', nameEnd + 1, valueEnd));
    at = valueEnd + 1;
  }
  return options;
}

function textUpToNul(payload: Buffer, from: number): string {
  const end = payload.indexOf(0, from);
  return payload.toString('utf8', from, end < 0 ? payload.length : end);
}

function head(opcode: number, word?: number): Buffer {
  const header = Buffer.alloc(word === undefined ? 2 : 4);
  header.writeUInt16BE(opcode, 0);
  if (word !== undefined) header.writeUInt16BE(word, 2);
  return header;
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

function encodeOptions(options: TftpOptions): Buffer {
  return Buffer.concat([...options].flatMap(([name, value]) => [text(name), text(value)]));
}
