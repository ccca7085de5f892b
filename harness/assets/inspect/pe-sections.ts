import { MalformedFile, need } from './malformed.ts';
import { peLayout, readSections } from './pe.ts';

/** A section to add to a PE image. */
export interface AddedSection {
  /** At most eight characters. */
  readonly name: string;
  readonly content: Buffer;
}

const headerBytes = 40;
/** IMAGE_SCN_CNT_INITIALIZED_DATA and IMAGE_SCN_MEM_READ. */
const readableData = 0x4000_0040;
const pageBytes = 4096;
const sumOffset = 64;

const aligned = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** The specification's own bounds for FileAlignment; SectionAlignment is a page or a few. */
const maxFileUnit = 0x1_0000;
const maxMemoryUnit = 0x20_0000;

function unitOf(value: number, max: number, what: string): number {
  const isPowerOfTwo = value > 0 && (value & (value - 1)) === 0;
  if (!isPowerOfTwo || value > max) throw new MalformedFile(`a PE image whose ${what} is ${value}`);
  return value;
}

/**
 * A PE image with sections appended to its own (PE/COFF specification, "Section Table"), and the file offset of each one's
 * content. Throws MalformedFile, also where the headers leave no room.
 */
export function withSections(image: Buffer, added: readonly AddedSection[]): { bytes: Buffer; offsets: number[] } {
  const layout = peLayout(image);
  const own = readSections(image, layout);
  const headers = Buffer.from(image.subarray(0, image.readUInt32LE(layout.optional + 60)));
  const tableEnd = layout.sectionTable + (own.length + added.length) * headerBytes;
  need(headers, layout.sectionTable, tableEnd - layout.sectionTable, 'the room for section headers');
  if (own.length === 0) throw new MalformedFile('a PE image without sections');
  const fileUnit = unitOf(image.readUInt32LE(layout.optional + 36) || 512, maxFileUnit, 'FileAlignment');
  const sectionAlignment = unitOf(image.readUInt32LE(layout.optional + 32), maxMemoryUnit, 'SectionAlignment');
  const memoryUnit = Math.max(sectionAlignment, pageBytes);

  let memoryEnd = Math.max(...own.map(({ virtualAddress, virtualBytes }) => virtualAddress + virtualBytes));
  const addedBytes = added.reduce((sum, { content }) => sum + aligned(content.length, memoryUnit), memoryUnit);
  if (memoryEnd + addedBytes > 0xffff_ffff) throw new MalformedFile('a PE image whose sections leave no room for more');
  let fileEnd = image.length;
  const pieces = [headers, image.subarray(headers.length)];
  const offsets: number[] = [];
  for (const [i, { name, content }] of added.entries()) {
    const at = layout.sectionTable + (own.length + i) * headerBytes;
    const virtualAddress = aligned(memoryEnd, memoryUnit);
    const offset = aligned(fileEnd, fileUnit);
    const rawBytes = aligned(content.length, fileUnit);
    headers.fill(0, at, at + headerBytes);
    headers.write(name, at, 8, 'latin1');
    for (const [field, value] of [content.length, virtualAddress, rawBytes, offset].entries()) {
      headers.writeUInt32LE(value, at + 8 + field * 4);
    }
    headers.writeUInt32LE(readableData, at + 36);
    pieces.push(Buffer.alloc(offset - fileEnd), content, Buffer.alloc(rawBytes - content.length));
    offsets.push(offset);
    memoryEnd = virtualAddress + content.length;
    fileEnd = offset + rawBytes;
  }
  headers.writeUInt16LE(own.length + added.length, layout.coff + 2);
  headers.writeUInt32LE(aligned(memoryEnd, memoryUnit), layout.optional + 56);
  headers.writeUInt32LE(0, layout.optional + sumOffset);
  return { bytes: Buffer.concat(pieces), offsets };
}
