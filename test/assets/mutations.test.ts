import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extractDriver } from '../../harness/assets/derive/extract-drivers.ts';
import { createBudget } from '../../harness/assets/inspect/budget.ts';
import { describeInspection, identityOf } from '../../harness/assets/inspect/describe.ts';
import { inspectBytes } from '../../harness/assets/inspect/inspect.ts';
import { MalformedFile } from '../../harness/assets/inspect/malformed.ts';
import { withSections } from '../../harness/assets/inspect/pe-sections.ts';
import { makeOptionRom, withPciIds } from '../../harness/assets/rom/make.ts';
import { HarnessError } from '../../harness/model/errors.ts';
import {
  type Crafted,
  craftBios,
  craftFirmware,
  craftKernel,
  craftPe,
  craftRom,
  type Field,
  sealVolume,
} from './crafted-files.ts';

const mebibyte = 1 << 20;
const budget = () => createBudget({ decompressedBytes: mebibyte, visits: 5_000 });

interface Mutation {
  readonly changes: readonly { readonly field: Field; readonly value: bigint }[];
  /** Bytes of the file that are left. */
  readonly kept: number;
}

/** Where structures start that a field could be made to point to. */
const structuresOf = (file: Buffer): bigint[] =>
  ['PCIR', '$PnP', 'UNDI', 'PE\0\0', '_FVH'].flatMap((signature) => {
    const found: bigint[] = [];
    for (let at = file.indexOf(signature); at >= 0; at = file.indexOf(signature, at + 1)) found.push(BigInt(at));
    return found;
  });

/** Values at which arithmetic on lengths and offsets goes wrong: the ends of the field and of the file, another structure. */
function tellingValue({ bytes }: Field, file: Buffer): fc.Arbitrary<bigint> {
  const max = (1n << BigInt(bytes * 8)) - 1n;
  const size = BigInt(file.length);
  const corners = [0n, 1n, 2n, 4n, 8n, 0x18n, size / 512n, size / 2n, size - 4n, size - 1n, size, size + 1n, max / 2n];
  return fc.oneof(
    fc.constantFrom(...[...corners, ...structuresOf(file)].filter((value) => value >= 0n && value <= max)),
    fc.constantFrom(max / 2n + 1n, max - 1n, max),
    fc.bigInt(0n, size < max ? size : max),
    fc.bigInt(0n, max),
  );
}

/** One to three fields set to something else, and sometimes the file cut. */
function mutations({ bytes, fields }: Crafted): fc.Arbitrary<Mutation> {
  const change = fc
    .constantFrom(...fields)
    .chain((field) => tellingValue(field, bytes).map((value) => ({ field, value })));
  return fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 3 }),
    kept: fc.option(fc.nat(bytes.length), { freq: 4, nil: bytes.length }),
  });
}

function mutated({ bytes }: Crafted, { changes, kept }: Mutation): Buffer {
  const file = Buffer.from(bytes);
  for (const { field, value } of changes) {
    for (let byte = 0; byte < field.bytes; byte++) {
      file[field.at + byte] = Number((value >> BigInt(byte * 8)) & 0xffn);
    }
  }
  for (let at = file.indexOf('_FVH'); at >= 40; at = file.indexOf('_FVH', at + 1)) sealVolume(file, at - 40);
  return file.subarray(0, kept);
}

/** Whatever is in the file, there is an answer, and text for it that a terminal can take. */
function expectAnswer(file: Buffer): void {
  const result = inspectBytes(file, budget());
  for (const line of [...describeInspection(result), identityOf(result)]) expect(line).toMatch(/^[\x20-\x7e…]*$/);
}

/** What is made of the file is made, or refused in the words of the house. */
function expectMadeOrRefused(make: () => unknown): void {
  try {
    make();
  } catch (error) {
    expect(error instanceof HarnessError || error instanceof MalformedFile).toBe(true);
  }
}

/** The same mutations in every run; a failure names the fields. */
function assertOfMutations(crafted: Crafted, numRuns: number, holds: (file: Buffer) => void): void {
  fc.assert(
    fc.property(mutations(crafted), (mutation) => holds(mutated(crafted, mutation))),
    { numRuns, seed: 1 },
  );
}

const rom = craftRom();
const pe = craftPe();
const kernel = craftKernel();
const firmware = craftFirmware();
const ids = { vendorId: 0x8086, deviceId: 0x100e };

describe('files with lengths, offsets and counts that lie', () => {
  test('the crafted files are what they are meant to be', () => {
    expect([rom, pe, kernel, firmware].map(({ bytes }) => inspectBytes(bytes))).toMatchObject([
      { type: 'option-rom', problems: [], images: [{ codeType: 0 }, { efi: { problem: null } }, { codeType: 3 }] },
      { type: 'pe', ipxe: { version: '1.21.1' }, pe: { sections: [{}, { name: '.sbat' }], sbat: [{}, {}] } },
      { type: 'kernel', version: '6.1.0-40-amd64' },
      {
        type: 'firmware',
        compressions: ['LZMA', 'EFI'],
        drivers: [{ name: 'VirtioNetDxe' }, { name: 'VirtioNetDxe' }],
      },
    ]);
  });

  test.each([
    ['an option ROM', rom, 8_000],
    ['a PE image', pe, 4_000],
    ['a kernel', kernel, 2_000],
    ['a flash image', firmware, 3_000],
    ['a BIOS', craftBios(), 500],
  ])('%s is inspected', (_, crafted, numRuns) => {
    assertOfMutations(crafted, numRuns, expectAnswer);
  });

  test('a PCI data structure beyond its own image is a problem of that image', () => {
    const bytes = Buffer.alloc(0x800);
    bytes.writeUInt16LE(0xaa55, 0);
    bytes.writeUInt16LE(0x400, 0x18);
    bytes.write('PCIR', 0x400, 'latin1');
    bytes.writeUInt16LE(1, 0x410);
    expect(inspectBytes(bytes)).toMatchObject({
      type: 'option-rom',
      images: [],
      problems: [expect.stringMatching(/^image 1 at 0: the PCI data structure lies beyond the image/)],
    });
  });

  test('ROMs are patched and made anew, or refused', () => {
    assertOfMutations(rom, 2_000, (file) => {
      expectMadeOrRefused(() => withPciIds(file, ids));
      expectMadeOrRefused(() => makeOptionRom({ images: [{ kind: 'bios', image: file }] }));
    });
  });

  test('PE images are given sections and wrapped, or refused', () => {
    assertOfMutations(pe, 2_000, (file) => {
      expectMadeOrRefused(() => withSections(file, [{ name: '.cmdline', content: Buffer.from('quiet') }]));
      expectMadeOrRefused(() => makeOptionRom({ images: [{ kind: 'efi', pe: file }], ...ids }));
    });
  });

  test('drivers are taken out of flash images, or refused', () => {
    assertOfMutations(firmware, 2_000, (file) =>
      expectMadeOrRefused(() => extractDriver(file, 'VirtioNetDxe', budget())),
    );
  });
});
