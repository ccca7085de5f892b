import { brotliDecompressSync } from 'node:zlib';
import type { Budget } from './budget.ts';
import { decompressEfi } from './efi-decompress.ts';
import { decompressLzma } from './lzma.ts';
import { MalformedFile, need } from './malformed.ts';
import { undoX86Filter } from './x86-filter.ts';

interface Encapsulation {
  /** Null: the contents are stored as is, after a checksum. */
  readonly compression: string | null;
  readonly decode: (payload: Buffer, budget: Budget) => Buffer;
}

/** edk2 puts decoded and scratch size, 8 bytes each, before the stream. */
function decompressBrotli(payload: Buffer, budget: Budget): Buffer {
  need(payload, 0, 16, 'the Brotli header');
  const size = payload.readUInt32LE(0);
  budget.decompress(size);
  try {
    return brotliDecompressSync(payload.subarray(16), { maxOutputLength: Math.max(size, 1) });
  } catch (error) {
    throw new MalformedFile(`Brotli data: ${(error as Error).message}`);
  }
}

/** Supported GUID-defined sections, by GUID (edk2, MdeModulePkg and BaseTools). */
export const encapsulations: ReadonlyMap<string, Encapsulation> = new Map<string, Encapsulation>([
  ['EE4E5898-3914-4259-9D6E-DC7BD79403CF', { compression: 'LZMA', decode: decompressLzma }],
  [
    'D42AE6BD-1352-4BFB-909A-CA72A6EAE889',
    { compression: 'LZMA F86', decode: (payload, budget) => undoX86Filter(decompressLzma(payload, budget)) },
  ],
  [
    'A31280AD-481E-41B6-95E8-127F4C984779',
    { compression: 'Tiano', decode: (payload, budget) => decompressEfi(payload, 'tiano', budget) },
  ],
  ['3D532050-5CDA-4FD0-879E-0F7F630D5AFB', { compression: 'Brotli', decode: decompressBrotli }],
  ['FC1BCDB0-7D31-49AA-936A-A4600D9DD083', { compression: null, decode: (payload) => payload }],
]);
