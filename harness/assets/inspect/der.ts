import { MalformedFile, need } from './malformed.ts';

export interface DerValue {
  readonly tag: number;
  /** Header and contents. */
  readonly whole: Buffer;
  readonly contents: Buffer;
}

/** One value of the Distinguished Encoding Rules (X.690 §8.1), definite lengths of up to four bytes. */
export function readDer(bytes: Buffer, offset = 0): DerValue {
  need(bytes, offset, 2, 'a DER value');
  const tag = bytes[offset] as number;
  const short = bytes[offset + 1] as number;
  let start = offset + 2;
  let length = short;
  if (short & 0x80) {
    const lengthBytes = short & 0x7f;
    if (lengthBytes < 1 || lengthBytes > 4) throw new MalformedFile('a DER value has an unusable length');
    need(bytes, start, lengthBytes, 'a DER length');
    length = bytes.readUIntBE(start, lengthBytes);
    start += lengthBytes;
  }
  need(bytes, start, length, 'a DER value');
  return { tag, whole: bytes.subarray(offset, start + length), contents: bytes.subarray(start, start + length) };
}

/** The values inside a constructed value, at most `max`. */
export function childrenOf(value: DerValue, max = 64): DerValue[] {
  const children: DerValue[] = [];
  for (let at = 0; at < value.contents.length && children.length < max; ) {
    const child = readDer(value.contents, at);
    children.push(child);
    at += child.whole.length;
  }
  return children;
}
