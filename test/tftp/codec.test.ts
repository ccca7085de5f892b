import { describe, expect, test } from 'vitest';
import { encodeError, encodeOack, parseTftp, type TftpPacket } from '../../harness/wire/codecs/tftp.ts';
import { encodeAck, encodeData, encodeRequest } from './client-packets.ts';

const options = new Map([
  ['blksize', '1432'],
  ['tsize', '0'],
]);

const packets: readonly [TftpPacket, Buffer][] = [
  [
    { kind: 'rrq', file: 'a/ä.efi', mode: 'octet', options },
    encodeRequest({ kind: 'rrq', file: 'a/ä.efi', mode: 'octet', options }),
  ],
  [
    { kind: 'wrq', file: 'f', mode: 'netascii', options: new Map() },
    encodeRequest({ kind: 'wrq', file: 'f', mode: 'netascii', options: new Map() }),
  ],
  [{ kind: 'data', block: 65535, data: Buffer.from('abc') }, encodeData(65535, Buffer.from('abc'))],
  [{ kind: 'data', block: 0, data: Buffer.alloc(0) }, encodeData(0, Buffer.alloc(0))],
  [{ kind: 'ack', block: 513 }, encodeAck(513)],
  [{ kind: 'error', code: 1, message: 'File not found' }, encodeError(1, 'File not found')],
  [{ kind: 'oack', options }, encodeOack(options)],
];

test.each(packets)('what is encoded is parsed again: $kind', (packet, bytes) => {
  expect(parseTftp(bytes)).toEqual(packet);
});

test('options are case-insensitive, and the first of two counts', () => {
  const bytes = Buffer.from('\0\x01f\0OCTET\0BLKSIZE\x001024\0blksize\x008\0', 'latin1');
  expect(parseTftp(bytes)).toMatchObject({ mode: 'octet', options: new Map([['blksize', '1024']]) });
});

test('zeros after the last option are padding', () => {
  expect(parseTftp(Buffer.from('\0\x01f\0octet\0\0\0\0', 'latin1'))).toMatchObject({ kind: 'rrq', options: new Map() });
});

describe('malformed', () => {
  test.each([
    ['nothing', ''],
    ['half an opcode', '\0'],
    ['an unknown opcode', '\0\x07'],
    ['a name without end', '\0\x01file'],
    ['no name', '\0\x01\0octet\0'],
    ['a mode without end', '\0\x01file\0octet'],
    ['an option without value', '\0\x01f\0octet\0blksize\0'],
    ['a value without end', '\0\x01f\0octet\0blksize\x001024'],
    ['an option without name', '\0\x01f\0octet\0\x001024\0'],
    ['more options than there are', `\0\x01f\0octet\0${Array.from({ length: 100 }, (_, n) => `o${n}\0v\0`).join('')}`],
    ['a short ACK', '\0\x04\0'],
    ['a short DATA', '\0\x03\0'],
    ['a short ERROR', '\0\x05\0'],
    ['an OACK cut short', '\0\x06tsize\0'],
    ['a name that is not UTF-8', '\0\x01\xff\0octet\0'],
  ])('%s', (_name, bytes) => {
    expect(parseTftp(Buffer.from(bytes, 'latin1'))).toEqual({ kind: 'malformed', reason: expect.any(String) });
  });

  test('every cut and every changed byte of real packets has an answer', () => {
    for (const [, bytes] of packets) {
      for (let end = 0; end <= bytes.length; end++) expect(parseTftp(bytes.subarray(0, end)).kind).toBeTypeOf('string');
      for (let at = 0; at < bytes.length; at++) {
        for (const value of [0, 1, 0x2f, 0x80, 0xff]) {
          const changed = Buffer.from(bytes);
          changed[at] = value;
          expect(parseTftp(changed).kind).toBeTypeOf('string');
        }
      }
    }
  });
});
