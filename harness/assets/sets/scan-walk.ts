import { open, readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** A build tree has tens of thousands of objects; only their first bytes are read. */
const maxFiles = 200_000;
const maxDepth = 16;
const headBytes = 0x30;

/** Boot programs for legacy BIOS have no header: they are recognised by their usual names. */
const biosProgramName = /\.(k?k?pxe|0)$|^core\.img$/i;
/** Sizes of flat BIOS images. */
const isBiosSize = (bytes: number): boolean => bytes >= 64 << 10 && bytes <= 16 << 20 && bytes % (64 << 10) === 0;

/** Whether first bytes, name or size suggest something that a machine boots from. */
function isCandidate(head: Buffer, name: string, bytes: number): boolean {
  const text = (from: number, to: number): string => head.toString('latin1', from, to);
  if (head.length < 2) return false;
  return (
    head.readUInt16LE(0) === 0xaa55 ||
    text(0, 2) === 'MZ' ||
    text(0x28, 0x2c) === '_FVH' ||
    // AAVMF begins with its reset vector, in a page of its own or within the header's first 16 zero bytes.
    /\.fd$/i.test(name) ||
    ['ARMd', 'RSC\x05'].includes(text(0x38, 0x3c)) ||
    biosProgramName.test(name) ||
    (isBiosSize(bytes) && /\.bin$/i.test(name)) ||
    /^(vmlinuz|bzImage|Image)/.test(name)
  );
}

async function headOf(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

export interface Walked {
  /** Paths relative to the folder, sorted. */
  candidates: string[];
  /** Number of files that no machine boots from. */
  others: number;
  /** What could not be read, and why. */
  unread: { path: string; reason: string }[];
}

/** Every file below a folder that may be an artefact. Links to files below it are followed, hidden folders skipped. */
export async function walkFolder(folder: string): Promise<Walked> {
  const walked: Walked = { candidates: [], others: 0, unread: [] };
  let seen = 0;

  async function look(path: string, name: string): Promise<void> {
    try {
      const { size } = await stat(join(folder, path));
      if (isCandidate(await headOf(join(folder, path)), name, size)) walked.candidates.push(path);
      else walked.others++;
    } catch (error) {
      walked.unread.push({ path, reason: (error as Error).message });
    }
  }

  const root = await realpath(folder);
  /** A link may lead anywhere, but a folder's set only has what is in the folder. */
  async function pointsInside(path: string): Promise<boolean> {
    const target = await realpath(join(folder, path)).catch(() => '');
    return target.startsWith(`${root}${sep}`) && (await stat(target)).isFile();
  }

  async function walk(below: string, depth: number): Promise<void> {
    const entries = await readdir(join(folder, below), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(below, entry.name);
      if (++seen > maxFiles) return;
      if (entry.isDirectory()) {
        if (depth < maxDepth && !entry.name.startsWith('.')) await walk(path, depth + 1);
      } else if (entry.isFile() || (entry.isSymbolicLink() && (await pointsInside(path)))) await look(path, entry.name);
    }
  }

  await walk('', 0);
  if (seen > maxFiles) walked.unread.push({ path: '.', reason: `more than ${maxFiles} files: the rest was skipped` });
  return walked;
}
