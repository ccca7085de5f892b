import { opcodes, type TftpRequest } from '../../harness/wire/codecs/tftp.ts';

/** What a client sends, and a server's DATA, which the harness's own server writes in place. */

const words = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(2 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index);
  return bytes;
};

export const encodeRequest = ({ kind, file, mode, options }: TftpRequest): Buffer =>
  Buffer.concat([words(opcodes[kind]), Buffer.from([file, mode, ...[...options].flat(), ''].join('\0'))]);

export const encodeAck = (block: number): Buffer => words(opcodes.ack, block);

export const encodeData = (block: number, data: Buffer): Buffer => Buffer.concat([words(opcodes.data, block), data]);
