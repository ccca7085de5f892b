import { readFileSync } from 'node:fs';

/** A field of a crafted file whose value something else depends on: a length, an offset, a count, a type. */
export interface Field {
  readonly name: string;
  readonly at: number;
  readonly bytes: 1 | 2 | 3 | 4 | 8;
}

/** A small valid file made by hand after its specification, and where its fields are. */
export interface Crafted {
  readonly bytes: Buffer;
  readonly fields: readonly Field[];
}

const field = (name: string, at: number, bytes: Field['bytes']): Field => ({ name, at, bytes });
const moved = (fields: readonly Field[], by: number, of: string): Field[] =>
  fields.map(({ name, at, bytes }) => field(`${of} ${name}`, at + by, bytes));

/** Joins parts, each padded to a multiple of `unit`. */
function joined(parts: readonly Crafted[], unit: number, fill = 0): Crafted {
  const fields: Field[] = [];
  const pieces: Buffer[] = [];
  let at = 0;
  for (const [index, part] of parts.entries()) {
    fields.push(...moved(part.fields, at, `[${index}]`));
    const padding = Buffer.alloc(-part.bytes.length & (unit - 1), fill);
    pieces.push(part.bytes, padding);
    at += part.bytes.length + padding.length;
  }
  return { bytes: Buffer.concat(pieces), fields };
}

/** A PE32+ image with code, SBAT and an attribute certificate (PE/COFF specification). */
export function craftPe({ machine = 0x8664, subsystem = 11 } = {}): Crafted {
  const bytes = Buffer.alloc(0x600);
  const [pe, coff, optional, table] = [0x80, 0x84, 0x98, 0x98 + 240];
  bytes.write('MZ', 0, 'latin1');
  bytes.writeUInt32LE(pe, 0x3c);
  bytes.write('PE\0\0', pe, 'latin1');
  bytes.writeUInt16LE(machine, coff);
  bytes.writeUInt16LE(2, coff + 2);
  bytes.writeUInt16LE(240, coff + 16);
  bytes.writeUInt16LE(0x20b, optional);
  bytes.writeUInt32LE(0x1000, optional + 16);
  bytes.writeUInt32LE(0x1000, optional + 32);
  bytes.writeUInt32LE(0x200, optional + 36);
  bytes.writeUInt32LE(0x3000, optional + 56);
  bytes.writeUInt32LE(0x200, optional + 60);
  bytes.writeUInt16LE(subsystem, optional + 68);
  bytes.writeUInt32LE(16, optional + 108);
  bytes.writeUInt32LE(0x580, optional + 112 + 4 * 8);
  bytes.writeUInt32LE(0x80, optional + 112 + 4 * 8 + 4);
  for (const [index, [name, address, offset]] of (
    [
      ['.text', 0x1000, 0x200],
      ['.sbat', 0x2000, 0x400],
    ] as const
  ).entries()) {
    const at = table + index * 40;
    bytes.write(name, at, 'latin1');
    bytes.writeUInt32LE(0x180, at + 8);
    bytes.writeUInt32LE(address, at + 12);
    bytes.writeUInt32LE(0x200, at + 16);
    bytes.writeUInt32LE(offset, at + 20);
  }
  bytes.write('iPXE\x001.21.1\0ipxe.efi\0http://ipxe.org\0', 0x220, 'latin1');
  bytes.write('sbat,1,SBAT Version,sbat,1,https://example\nipxe,1,iPXE,ipxe.efi,1.21.1,https://ipxe.org\n', 0x400);
  bytes.writeUInt32LE(0x80, 0x580);
  bytes.writeUInt16LE(0x200, 0x584);
  bytes.writeUInt16LE(2, 0x586);
  // A PKCS #7 SignedData as far as its certificates, which hold nothing that can be read.
  Buffer.from('30820060060a2a864886f70d010702a0821050305002010131003000a08210400482000a30820004', 'hex').copy(
    bytes,
    0x588,
  );
  const sections = [0, 1].flatMap((index) => [
    field(`section ${index} VirtualSize`, table + index * 40 + 8, 4),
    field(`section ${index} VirtualAddress`, table + index * 40 + 12, 4),
    field(`section ${index} SizeOfRawData`, table + index * 40 + 16, 4),
    field(`section ${index} PointerToRawData`, table + index * 40 + 20, 4),
  ]);
  return {
    bytes,
    fields: [
      field('e_lfanew', 0x3c, 4),
      field('Machine', coff, 2),
      field('NumberOfSections', coff + 2, 2),
      field('SizeOfOptionalHeader', coff + 16, 2),
      field('Magic', optional, 2),
      field('SectionAlignment', optional + 32, 4),
      field('FileAlignment', optional + 36, 4),
      field('SizeOfImage', optional + 56, 4),
      field('SizeOfHeaders', optional + 60, 4),
      field('Subsystem', optional + 68, 2),
      field('NumberOfRvaAndSizes', optional + 108, 4),
      field('certificates VirtualAddress', optional + 112 + 32, 4),
      field('certificates Size', optional + 112 + 36, 4),
      ...sections,
      field('WIN_CERTIFICATE dwLength', 0x580, 4),
      field('WIN_CERTIFICATE type', 0x586, 2),
      ...[1, 2, 4, 16, 20, 22].map((at) => field(`DER byte ${at}`, 0x588 + at, 1)),
    ],
  };
}

function writePcir(image: Buffer, at: number, codeType: number, last: boolean): Field[] {
  image.writeUInt16LE(at, 0x18);
  image.write('PCIR', at, 'latin1');
  image.writeUInt16LE(0x8086, at + 4);
  image.writeUInt16LE(0x100e, at + 6);
  image.writeUInt16LE(0x1c, at + 8);
  image.writeUInt16LE(0x1c, at + 0x0a);
  image[at + 0x0c] = 3;
  image.writeUIntLE(0x020000, at + 0x0d, 3);
  image.writeUInt16LE(image.length / 512, at + 0x10);
  image[at + 0x14] = codeType;
  image[at + 0x15] = last ? 0x80 : 0;
  image.writeUInt16LE(0x10d3, at + 0x1c);
  return [
    field('PCIR pointer', 0x18, 2),
    field('PCIR device list', at + 8, 2),
    field('PCIR length', at + 0x0a, 2),
    field('PCIR revision', at + 0x0c, 1),
    field('PCIR image length', at + 0x10, 2),
    field('PCIR code type', at + 0x14, 1),
    field('PCIR indicator', at + 0x15, 1),
  ];
}

function craftBiosImage(): Crafted {
  const image = Buffer.alloc(1024);
  image.writeUInt16LE(0xaa55, 0);
  image[2] = 2;
  image.writeUInt16LE(0x60, 0x16);
  image.writeUInt16LE(0x80, 0x1a);
  const pcir = writePcir(image, 0x40, 0, false);
  image.write('UNDI', 0x60, 'latin1');
  image.write('$PnP', 0x80, 'latin1');
  image.writeUInt16LE(0xc0, 0x8e);
  image.writeUInt16LE(0xd0, 0x90);
  image.write('iPXE\0', 0xc0, 'latin1');
  image.write('http://ipxe.org\0', 0xd0, 'latin1');
  return {
    bytes: image,
    fields: [
      field('size', 2, 1),
      field('UNDI pointer', 0x16, 2),
      field('PnP pointer', 0x1a, 2),
      field('PnP manufacturer', 0x8e, 2),
      field('PnP product', 0x90, 2),
      ...pcir,
    ],
  };
}

function craftEfiImage({ compressed, last }: { compressed: boolean; last: boolean }): Crafted {
  const payload = compressed ? craftEfiStream() : craftPe();
  const image = Buffer.alloc(Math.ceil((0x80 + payload.bytes.length) / 512) * 512);
  image.writeUInt16LE(0xaa55, 0);
  image.writeUInt16LE(image.length / 512, 2);
  image.writeUInt32LE(0x0ef1, 4);
  image.writeUInt16LE(11, 8);
  image.writeUInt16LE(0x8664, 10);
  image.writeUInt16LE(compressed ? 1 : 0, 12);
  image.writeUInt16LE(0x80, 22);
  const pcir = writePcir(image, 0x40, 3, last);
  payload.bytes.copy(image, 0x80);
  return {
    bytes: image,
    fields: [
      field('initialisation size', 2, 2),
      field('EFI signature', 4, 4),
      field('compression type', 12, 2),
      field('EFI image offset', 22, 2),
      ...pcir,
      ...moved(payload.fields, 0x80, 'EFI image'),
    ],
  };
}

/** A combined option ROM: BIOS, EFI, and compressed EFI (PCI Firmware specification 3.x §5.1, UEFI §14.4.2). */
export function craftRom(): Crafted {
  return joined(
    [
      craftBiosImage(),
      craftEfiImage({ compressed: false, last: false }),
      craftEfiImage({ compressed: true, last: true }),
    ],
    512,
  );
}

/** EFI compression of five zero bytes (UEFI §19.2): one block whose codes have one symbol each. */
function craftEfiStream(): Crafted {
  const bits = [
    [5, 16],
    [0, 5],
    [0, 5],
    [0, 9],
    [0, 9],
    [0, 4],
    [0, 4],
  ] as const;
  const text = bits.map(([value, width]) => value.toString(2).padStart(width, '0')).join('');
  const payload = (text.match(/.{1,8}/g) ?? []).map((byte) => Number.parseInt(byte.padEnd(8, '0'), 2));
  const bytes = Buffer.from([payload.length, 0, 0, 0, 5, 0, 0, 0, ...payload]);
  return {
    bytes,
    fields: [
      field('compressed size', 0, 4),
      field('original size', 4, 4),
      ...payload.map((_, at) => field(`stream byte ${at}`, 8 + at, 1)),
    ],
  };
}

function section(type: number, contents: Crafted): Crafted {
  const header = Buffer.alloc(4);
  header.writeUIntLE(4 + contents.bytes.length, 0, 3);
  header[3] = type;
  return {
    bytes: Buffer.concat([header, contents.bytes]),
    fields: [field('section size', 0, 3), field('section type', 3, 1), ...moved(contents.fields, 4, `section ${type}`)],
  };
}

const plain = (bytes: Buffer, fields: Field[] = []): Crafted => ({ bytes, fields });
const guidBytes = (text: string) => Buffer.from(text, 'hex');

/** EE4E5898-3914-4259-9D6E-DC7BD79403CF and FC1BCDB0-7D31-49AA-936A-A4600D9DD083 as they lie in a file. */
const lzmaGuid = guidBytes('98584eee143959429d6edc7bd79403cf');
const crcGuid = guidBytes('b0cd1bfc317daa49936aa4600d9dd083');

function guidDefined(guid: Buffer, payload: Crafted): Crafted {
  const header = Buffer.concat([guid, Buffer.from([24, 0, 1, 0])]);
  const inner = section(
    0x02,
    plain(Buffer.concat([header, payload.bytes]), [
      field('data offset', 16, 2),
      ...moved(payload.fields, header.length, 'payload'),
    ]),
  );
  return inner;
}

function ffsFile(type: number, sections: readonly Crafted[]): Crafted {
  const contents = joined(sections, 4);
  const header = Buffer.alloc(24);
  header.fill(0xa0 + type, 0, 16);
  header[18] = type;
  header.writeUIntLE(24 + contents.bytes.length, 20, 3);
  header[23] = 0xf8;
  return {
    bytes: Buffer.concat([header, contents.bytes]),
    fields: [
      field('file type', 18, 1),
      field('file attributes', 19, 1),
      field('file size', 20, 3),
      ...moved(contents.fields, 24, 'file'),
    ],
  };
}

const headerBytes = 72;

/** A firmware volume (PI specification, volume 3, §3.2.1). */
function volume(files: readonly Crafted[]): Crafted {
  const extension = 20;
  const contents = joined(files, 8, 0xff);
  const start = headerBytes + 24;
  const bytes = Buffer.alloc(start + contents.bytes.length + 64, 0xff);
  bytes.fill(0, 0, start);
  guidBytes('78e58c8c3d8a1c4f9935896185c32dd3').copy(bytes, 16);
  bytes.writeBigUInt64LE(BigInt(bytes.length), 32);
  bytes.write('_FVH', 40, 'latin1');
  bytes.writeUInt16LE(headerBytes, 48);
  bytes.writeUInt16LE(headerBytes, 52);
  bytes[55] = 2;
  bytes.writeUInt32LE(1, 56);
  bytes.writeUInt32LE(bytes.length, 60);
  bytes.writeUInt32LE(extension, headerBytes + 16);
  contents.bytes.copy(bytes, start);
  sealVolume(bytes);
  return {
    bytes,
    fields: [
      field('FvLength', 32, 8),
      field('HeaderLength', 48, 2),
      field('ExtHeaderOffset', 52, 2),
      field('ExtHeaderSize', headerBytes + 16, 4),
      ...moved(contents.fields, start, 'volume'),
    ],
  };
}

/** Makes the header at `at` add up to zero again, so that a changed field is looked at. */
export function sealVolume(bytes: Buffer, at = 0): void {
  const length = Math.min(bytes.readUInt16LE(at + 48) & ~1, bytes.length - at);
  let sum = 0;
  for (let offset = 0; offset < length; offset += 2) if (offset !== 50) sum += bytes.readUInt16LE(at + offset);
  bytes.writeUInt16LE(-sum & 0xffff, at + 50);
}

/** A flash image with a store of variables and nothing else. */
export function craftVariables(): Crafted {
  const { bytes, fields } = volume([]);
  guidBytes('8d2bf1ff96768b4ca9852747075b4f50').copy(bytes, 16);
  sealVolume(bytes);
  return { bytes, fields };
}

/** A flash image: a driver with a name, one behind LZMA, one in a nested volume behind a checksum. */
export function craftFirmware({ machine = 0x8664 } = {}): Crafted {
  const lzma = readFileSync(new URL('../../fixtures/assets/text.lzma', import.meta.url));
  const name = section(0x15, plain(Buffer.from('VirtioNetDxe\0', 'utf16le')));
  const version = section(0x14, plain(Buffer.from('\x01\x002022.11\0', 'latin1')));
  const driver = ffsFile(0x07, [section(0x10, craftPe({ machine })), name, version]);
  const compressed = ffsFile(0x0b, [
    guidDefined(
      lzmaGuid,
      plain(lzma, [field('LZMA properties', 0, 1), field('LZMA dictionary', 1, 4), field('LZMA size', 5, 8)]),
    ),
  ]);
  const efiCompressed = ffsFile(0x0b, [
    section(
      0x01,
      plain(Buffer.concat([Buffer.from([5, 0, 0, 0, 1]), craftEfiStream().bytes]), [
        field('compression type', 4, 1),
        ...moved(craftEfiStream().fields, 5, 'EFI stream'),
      ]),
    ),
  ]);
  const nested = ffsFile(0x0b, [guidDefined(crcGuid, section(0x17, volume([driver])))]);
  return volume([driver, compressed, efiCompressed, nested]);
}

/** A legacy BIOS: a far jump to F000:E05B where the CPU starts, the date behind it, the model byte. */
export function craftBios(): Crafted {
  const bytes = Buffer.alloc(0x10000);
  const reset = bytes.length - 16;
  bytes.write('SeaBIOS (version %s)\0\x001.16.2-test\0', 0x100, 'latin1');
  Buffer.from('ea5be000f0', 'hex').copy(bytes, reset);
  bytes.write('06/23/99', reset + 5, 'latin1');
  bytes[bytes.length - 2] = 0xfc;
  return { bytes, fields: [field('segment', reset + 3, 2), field('date', reset + 5, 8)] };
}

/** An x86 kernel's set-up header (Documentation/arch/x86/boot.rst) in front of a PE image, as an EFI stub has it. */
export function craftKernel(): Crafted {
  const { bytes, fields } = craftPe({ subsystem: 10 });
  bytes.writeUInt16LE(0xaa55, 0x1fe);
  bytes.write('HdrS', 0x202, 'latin1');
  bytes.writeUInt16LE(0x20f, 0x206);
  bytes.writeUInt16LE(0x100, 0x20e);
  bytes.write('6.1.0-40-amd64\0', 0x300, 'latin1');
  return { bytes, fields: [...fields, field('protocol', 0x206, 2), field('kernel_version', 0x20e, 2)] };
}
