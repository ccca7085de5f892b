/** One file of an archive, as its central directory describes it (PKWARE APPNOTE 6.3 §4.3.12). */
export interface ZipEntry {
  /** Relative, with slashes; one of `entryName`. */
  name: string;
  isStored: boolean;
  packedBytes: number;
  bytes: number;
  crc32: number;
  /** Where its local header is. */
  offset: number;
}

/** Archives come from strangers. */
export interface ZipLimits {
  maxEntries: number;
  maxEntryBytes: number;
  maxTotalBytes: number;
  /** Unpacked bytes for each packed one, beyond the first `ratioGraceBytes`. */
  maxRatio: number;
  ratioGraceBytes: number;
}

const endBytes = 22;
const centralBytes = 46;
const maxNameBytes = 1000;
const maxDepth = 12;

/** Letters that mean the same on any host: no separators but slashes, no hidden names, nothing that climbs. */
const entryName = /^[A-Za-z0-9][A-Za-z0-9._@+~,=-]{0,254}(\/[A-Za-z0-9][A-Za-z0-9._@+~,=-]{0,254})*$/;

const utf8Flag = 0x800;
/** Compression level, data descriptor, UTF-8 name: anything else, encryption above all, is refused (§4.4.4). */
const knownFlags = 0x6 | 0x8 | utf8Flag;
/** ZIP64, and the name in another encoding. */
const refusedExtras = new Map([
  [0x0001, 'ZIP64'],
  [0x7075, 'a second name'],
]);

export class BadZip extends Error {}

const bad = (what: string): BadZip => new BadZip(what);

function extrasOf(extra: Buffer): number[] {
  const ids: number[] = [];
  for (let at = 0; at < extra.length; ) {
    if (at + 4 > extra.length) throw bad('an extra field is cut off');
    ids.push(extra.readUInt16LE(at));
    at += 4 + extra.readUInt16LE(at + 2);
    if (at > extra.length) throw bad('an extra field is cut off');
  }
  return ids;
}

function checkName(bytes: Buffer): { name: string; isFolder: boolean } {
  const text = bytes.toString('latin1');
  const isFolder = text.endsWith('/');
  const name = isFolder ? text.slice(0, -1) : text;
  const shown = JSON.stringify(text.slice(0, 80));
  if (bytes.length > maxNameBytes || name.split('/').length > maxDepth) throw bad(`the name ${shown} is too long`);
  if (!entryName.test(name)) throw bad(`the name ${shown} is not a plain relative path`);
  return { name, isFolder };
}

/** The file type in a Unix mode; hosts other than Unix have none. */
function checkType(madeBy: number, attributes: number, isFolder: boolean, name: string): void {
  const type = madeBy >> 8 === 3 ? (attributes >>> 16) & 0o170000 : 0;
  const wanted = isFolder ? 0o040000 : 0o100000;
  if (type !== 0 && type !== wanted) throw bad(`${name} is neither a file nor a folder, but a link or a device`);
}

interface CentralEntry extends ZipEntry {
  isFolder: boolean;
  next: number;
}

function readCentral(bytes: Buffer, at: number): CentralEntry {
  if (at + centralBytes > bytes.length || bytes.readUInt32LE(at) !== 0x02014b50) throw bad('its directory is damaged');
  const field16 = (offset: number) => bytes.readUInt16LE(at + offset);
  const field32 = (offset: number) => bytes.readUInt32LE(at + offset);
  const [nameBytes, extraBytes, commentBytes] = [field16(28), field16(30), field16(32)];
  const nameEnd = at + centralBytes + nameBytes;
  const next = nameEnd + extraBytes + commentBytes;
  if (next > bytes.length) throw bad('its directory is damaged');
  const { name, isFolder } = checkName(bytes.subarray(at + centralBytes, nameEnd));
  const refused = extrasOf(bytes.subarray(nameEnd, nameEnd + extraBytes)).find((id) => refusedExtras.has(id));
  if (refused !== undefined) throw bad(`${name} has ${refusedExtras.get(refused)}, which is not read`);
  const [flags, method, disk] = [field16(8), field16(10), field16(34)];
  if ((flags & ~knownFlags) !== 0) throw bad(`${name} is encrypted or encoded in a way that is not read`);
  if (method !== 0 && method !== 8) throw bad(`${name} is compressed by method ${method}; expected stored or deflated`);
  if (disk !== 0) throw bad(`${name} is on another disk`);
  checkType(field16(4), field32(38), isFolder, name);
  const entry = { crc32: field32(16), packedBytes: field32(20), bytes: field32(24), offset: field32(42) };
  if (method === 0 && entry.packedBytes !== entry.bytes) throw bad(`${name} is stored with two different lengths`);
  if (isFolder && entry.bytes !== 0) throw bad(`the folder ${name} has content`);
  return { name, isFolder, isStored: method === 0, next, ...entry };
}

/** Two names of one file, on any file system, and a file that would have to be a folder. */
function refuseClashes(entries: readonly CentralEntry[]): void {
  const files = new Set<string>();
  const folders = new Set<string>();
  for (const { name, isFolder } of entries) {
    const steps = name.toLowerCase().split('/');
    for (let depth = 1; depth < steps.length; depth++) folders.add(steps.slice(0, depth).join('/'));
    const key = steps.join('/');
    if (isFolder) folders.add(key);
    else if (files.size === files.add(key).size) throw bad(`${name} is in it twice`);
  }
  const clash = [...files].find((name) => folders.has(name));
  if (clash !== undefined) throw bad(`${clash} is a file and a folder in it`);
}

function refuseBombs(entries: readonly ZipEntry[], limits: ZipLimits): void {
  const large = entries.find(({ bytes }) => bytes > limits.maxEntryBytes);
  if (large !== undefined)
    throw bad(`${large.name} has ${large.bytes} bytes, at most ${limits.maxEntryBytes} are unpacked`);
  const sum = (of: (entry: ZipEntry) => number) => entries.reduce((total, entry) => total + of(entry), 0);
  const [bytes, packed] = [sum((entry) => entry.bytes), sum((entry) => entry.packedBytes)];
  if (bytes > limits.maxTotalBytes)
    throw bad(`it unpacks to ${bytes} bytes, at most ${limits.maxTotalBytes} are unpacked`);
  if (bytes > limits.ratioGraceBytes + packed * limits.maxRatio)
    throw bad(`it unpacks to ${bytes} bytes from ${packed}, more than ${limits.maxRatio} for each`);
}

/** Entries that share bytes are how small archives become large ones. */
function refuseOverlaps(entries: readonly CentralEntry[], directoryAt: number): void {
  const inOrder = [...entries].sort((a, b) => a.offset - b.offset);
  for (const [index, { name, offset, packedBytes }] of inOrder.entries()) {
    const end = inOrder[index + 1]?.offset ?? directoryAt;
    if (offset + 30 + packedBytes > end) throw bad(`${name} overlaps with what comes after it`);
  }
}

/**
 * The entries of an archive; only the plain kind that `writeZip` and common tools make is read. `read` reads that many
 * bytes of the file at an offset, all within it.
 * @throws BadZip with what is wrong with it
 */
export function readZipDirectory(
  read: (offset: number, length: number) => Buffer,
  fileBytes: number,
  limits: ZipLimits,
): ZipEntry[] {
  if (fileBytes < endBytes) throw bad('it is too short for a zip file');
  const end = read(fileBytes - endBytes, endBytes);
  if (end.readUInt32LE(0) !== 0x06054b50 || end.readUInt16LE(20) !== 0)
    throw bad('it does not end as a zip file without comment does');
  const [disk, directoryDisk, here, count] = [4, 6, 8, 10].map((at) => end.readUInt16LE(at)) as [
    number,
    number,
    number,
    number,
  ];
  const [directoryBytes, directoryAt] = [end.readUInt32LE(12), end.readUInt32LE(16)];
  if (disk !== 0 || directoryDisk !== 0 || here !== count) throw bad('it is a part of several');
  if (count > limits.maxEntries) throw bad(`it has ${count} entries, at most ${limits.maxEntries} are unpacked`);
  if (directoryAt + directoryBytes !== fileBytes - endBytes) throw bad('its directory is not where it should be');
  if (directoryBytes > count * (centralBytes + 3 * maxNameBytes)) throw bad('its directory is too large');
  const bytes = read(directoryAt, directoryBytes);
  const entries: CentralEntry[] = [];
  let at = 0;
  for (let nth = 0; nth < count; nth++) {
    const entry = readCentral(bytes, at);
    entries.push(entry);
    at = entry.next;
  }
  if (at !== directoryBytes) throw bad('its directory is damaged');
  refuseClashes(entries);
  refuseBombs(entries, limits);
  refuseOverlaps(entries, directoryAt);
  return entries.filter(({ isFolder }) => !isFolder).map(({ isFolder, next, ...entry }) => entry);
}
