import { type Budget, maxDepth } from './budget.ts';
import { decompressEfi } from './efi-decompress.ts';
import { encapsulations } from './encapsulation.ts';
import { ucs2String } from './file-text.ts';
import { readGuid } from './guid.ts';
import { attempt, MalformedFile, need, slice } from './malformed.ts';

/** File types (PI specification 1.7, volume 3, §2.1.4.1). */
export const ffsTypes: ReadonlyMap<number, string> = new Map([
  [0x01, 'raw'],
  [0x02, 'freeform'],
  [0x03, 'SEC core'],
  [0x04, 'PEI core'],
  [0x05, 'DXE core'],
  [0x06, 'PEIM'],
  [0x07, 'driver'],
  [0x08, 'PEIM and driver'],
  [0x09, 'application'],
  [0x0a, 'MM driver'],
  [0x0b, 'volume image'],
  [0x0c, 'MM and DXE driver'],
  [0x0d, 'MM core'],
  [0x0e, 'standalone MM driver'],
  [0x0f, 'standalone MM core'],
]);
const padType = 0xf0;

interface Executable {
  readonly format: 'PE32' | 'TE';
  readonly bytes: Buffer;
}

export interface FfsFile {
  readonly guid: string;
  readonly type: number;
  /** User interface name; absent in builds without debug names. */
  readonly name: string | null;
  readonly version: string | null;
  readonly executable: Executable | null;
}

export interface VolumeFacts {
  /** Within the file, or within the decompressed stream that holds it. */
  readonly offset: number;
  readonly bytes: number;
  readonly fileSystem: string;
  /** 0: in the file itself. */
  readonly depth: number;
  readonly files: number;
}

/** What a walk through a flash image collects; defects of the file go to `problems`. */
export interface Walk {
  readonly budget: Budget;
  readonly problems: string[];
  readonly volumes: VolumeFacts[];
  readonly compressions: Set<string>;
  readonly files: FfsFile[];
  /** Decompressed streams, for searches by content. */
  readonly streams: Buffer[];
}

export function createWalk(budget: Budget): Walk {
  return { budget, problems: [], volumes: [], compressions: new Set(), files: [], streams: [] };
}

const maxProblems = 32;
function note(walk: Walk, problem: string): void {
  if (walk.problems.length < maxProblems) walk.problems.push(problem);
}

const fileSystems: ReadonlyMap<string, string> = new Map([
  ['8C8CE578-8A3D-4F1C-9935-896185C32DD3', 'FFS2'],
  ['5473C07A-3DCB-4DCA-BD6F-1E9689E7349A', 'FFS3'],
  ['FFF12B8D-7696-4C8B-A985-2747075B4F50', 'variable store'],
]);

interface Section {
  readonly type: number;
  readonly contents: Buffer;
  /** Header included, for offsets that count from its start. */
  readonly whole: Buffer;
}

/** Sections follow one another at multiples of four (PI, volume 3, §2.2.4). */
function* sectionsOf(stream: Buffer, walk: Walk): Generator<Section> {
  for (let at = 0; at + 4 <= stream.length; ) {
    walk.budget.visit();
    const short = stream.readUIntLE(at, 3);
    const type = stream[at + 3] as number;
    // All zeros or ones is padding to the stream's end.
    if ((short === 0 && type === 0) || type === 0xff) return;
    const large = short === 0xffffff;
    const header = large ? 8 : 4;
    need(stream, at, header, 'a section header');
    const size = large ? stream.readUInt32LE(at + 4) : short;
    if (size < header) throw new MalformedFile(`a section of ${size} bytes`);
    const whole = slice(stream, at, size, 'a section');
    yield { type, whole, contents: whole.subarray(header) };
    at = (at + size + 3) & ~3;
  }
}

/** The stream inside an encapsulation section; undefined for an unsupported one. */
function decapsulate({ type, contents, whole }: Section, walk: Walk): Buffer | undefined {
  const keep = (compression: string | null, stream: Buffer) => {
    if (compression === null) return stream;
    walk.compressions.add(compression);
    walk.streams.push(stream);
    return stream;
  };
  if (type === 0x01) {
    need(contents, 0, 5, 'a compression section');
    const payload = contents.subarray(5);
    if (contents[4] === 0) return payload;
    if (contents[4] !== 1) throw new MalformedFile(`unknown compression type ${contents[4]}`);
    return keep('EFI', decompressEfi(payload, 'uefi', walk.budget));
  }
  need(contents, 0, 20, 'a GUID-defined section');
  const guid = readGuid(contents, 0);
  const dataOffset = contents.readUInt16LE(16);
  const known = encapsulations.get(guid);
  if (known === undefined) {
    note(walk, `section ${guid} has an unknown encoding and was not opened`);
    return undefined;
  }
  const payload = slice(whole, dataOffset, whole.length - dataOffset, 'a GUID-defined section');
  return keep(known.compression, known.decode(payload, walk.budget));
}

interface Leaves {
  name: string | null;
  version: string | null;
  executable: Executable | null;
}

function walkSections(stream: Buffer, walk: Walk, depth: number, leaves: Leaves): void {
  if (depth > maxDepth) throw new MalformedFile(`is nested more than ${maxDepth} deep`);
  for (const section of sectionsOf(stream, walk)) {
    switch (section.type) {
      case 0x01:
      case 0x02: {
        const inner = decapsulate(section, walk);
        if (inner !== undefined) walkSections(inner, walk, depth + 1, leaves);
        break;
      }
      case 0x03:
        walkSections(section.contents, walk, depth + 1, leaves);
        break;
      case 0x10:
        leaves.executable ??= { format: 'PE32', bytes: section.contents };
        break;
      case 0x12:
        leaves.executable ??= { format: 'TE', bytes: section.contents };
        break;
      case 0x14:
        leaves.version ??= ucs2String(section.contents, 2);
        break;
      case 0x15:
        leaves.name ??= ucs2String(section.contents, 0);
        break;
      case 0x17:
        walkVolumes(section.contents, walk, depth + 1);
        break;
      default:
    }
  }
}

const isErased = (header: Buffer) => header.every((byte) => byte === 0xff) || header.every((byte) => byte === 0);

const largeFile = 0x01;
/** File types whose contents are sections; raw and pad files have none. */
const hasSections = (type: number) => type >= 0x02 && type <= 0x0f;

function walkFiles(volume: Buffer, start: number, walk: Walk, depth: number): number {
  let files = 0;
  for (let at = start; at + 24 <= volume.length; ) {
    walk.budget.visit();
    // Free space reads as erased: all ones, or all zeros.
    if (isErased(volume.subarray(at, at + 24))) break;
    const large = ((volume[at + 19] as number) & largeFile) !== 0;
    const header = large ? 32 : 24;
    const size =
      large && at + 32 <= volume.length ? Number(volume.readBigUInt64LE(at + 24)) : volume.readUIntLE(at + 20, 3);
    const type = volume[at + 18] as number;
    if (size < header) throw new MalformedFile(`a file of ${size} bytes at ${at}`);
    const whole = slice(volume, at, size, `the file at ${at}`);
    if (type !== padType) {
      files++;
      const guid = readGuid(whole, 0);
      const leaves: Leaves = { name: null, version: null, executable: null };
      if (hasSections(type)) {
        const walked = attempt(() => {
          walkSections(whole.subarray(header), walk, depth, leaves);
          return {};
        });
        if ('problem' in walked) note(walk, `file ${leaves.name ?? guid}: ${walked.problem}`);
      }
      walk.files.push({ guid, type, ...leaves });
    }
    at = (at + size + 7) & ~7;
  }
  return files;
}

/** One volume whose header starts at `offset`; its length, or undefined where the header is not one. */
function walkVolume(bytes: Buffer, offset: number, walk: Walk, depth: number): number | undefined {
  if (offset < 0 || offset + 56 > bytes.length) return undefined;
  const headerBytes = bytes.readUInt16LE(offset + 48);
  const length = Number(bytes.readBigUInt64LE(offset + 32));
  if (headerBytes < 56 || headerBytes % 2 !== 0 || offset + headerBytes > bytes.length || length < headerBytes)
    return undefined;
  let sum = 0;
  for (let at = 0; at < headerBytes; at += 2) sum += bytes.readUInt16LE(offset + at);
  if (sum % 0x10000 !== 0) return undefined;
  walk.budget.visit();

  const guid = readGuid(bytes, offset + 16);
  const fileSystem = fileSystems.get(guid) ?? guid;
  const there = Math.min(length, bytes.length - offset);
  if (there < length)
    note(walk, `the volume at ${offset} is truncated: its header says ${length} bytes, the file has ${there}`);
  const volume = bytes.subarray(offset, offset + there);
  const facts = { offset, bytes: length, fileSystem, depth };
  const index = walk.volumes.push({ ...facts, files: 0 }) - 1;
  if (fileSystem.startsWith('FFS')) {
    const extension = volume.readUInt16LE(52);
    let start = headerBytes;
    if (extension !== 0 && extension + 20 <= volume.length) start = extension + volume.readUInt32LE(extension + 16);
    const files = attempt(() => ({ count: walkFiles(volume, (start + 7) & ~7, walk, depth) }));
    if ('problem' in files) note(walk, `volume at ${offset}: ${files.problem}`);
    else walk.volumes[index] = { ...facts, files: files.count };
  }
  return there;
}

const volumeSignature = Buffer.from('_FVH', 'latin1');
const signatureOffset = 40;

/**
 * Every firmware volume in `bytes`, including nested ones (PI specification, volume 3, §3.2.1); an outer volume precedes
 * its inner ones.
 */
export function walkVolumes(bytes: Buffer, walk: Walk, depth = 0): void {
  if (depth > maxDepth) throw new MalformedFile(`is nested more than ${maxDepth} deep`);
  for (let at = bytes.indexOf(volumeSignature); at >= 0; ) {
    const length = walkVolume(bytes, at - signatureOffset, walk, depth);
    at = bytes.indexOf(
      volumeSignature,
      length === undefined ? at + 4 : Math.max(at + 4, at - signatureOffset + length),
    );
  }
}
