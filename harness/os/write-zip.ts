import { closeSync, fstatSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Zip, type ZipInputFile } from 'fflate';
import { lastBlock, packedPieces } from './packed-pieces.ts';
import { removeIfKilled } from './temporary-folder.ts';
import { putWhole } from './write-whole.ts';
import { readZipDirectory, type ZipLimits } from './zip-directory.ts';

/** A Unix file; the same content makes the same archive. */
const plainFile = { mtime: new Date(1980, 1, 1), os: 3, attrs: (0o100644 << 16) >>> 0 };
/** PKZIP's APPNOTE, 4.4.5. */
const deflated = 8;

/** Adds a file in pieces: a worker serves its guests meanwhile. */
async function addFile(zip: Zip, name: string, path: string): Promise<void> {
  const entry: ZipInputFile = { filename: name, size: 0, crc: 0, compression: deflated, ...plainFile };
  // Gives the entry its `ondata`.
  zip.add(entry);
  const add = entry.ondata as NonNullable<ZipInputFile['ondata']>;
  for await (const { piece, packed } of packedPieces(path)) {
    entry.crc = crc32(piece, entry.crc);
    entry.size += piece.length;
    add(null, packed, false);
  }
  add(null, lastBlock, true);
}

/** Regular files below a folder, relative and in order. */
function filesBelow(folder: string, at = ''): string[] {
  return readdirSync(join(folder, at), { withFileTypes: true })
    .flatMap((entry) => {
      const name = at === '' ? entry.name : `${at}/${entry.name}`;
      return entry.isDirectory() ? filesBelow(folder, name) : entry.isFile() ? [name] : [];
    })
    .sort();
}

/** Whether what was written can be read again. */
function checkZip(path: string, limits: ZipLimits): void {
  const fd = openSync(path, 'r');
  try {
    const read = (offset: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    };
    readZipDirectory(read, fstatSync(fd).size, limits);
  } finally {
    closeSync(fd);
  }
}

/** Writes the archive, whatever its size. */
async function writeEntries(folder: string, path: string): Promise<void> {
  const fd = openSync(path, 'wx');
  try {
    let failure: Error | null = null;
    const zip = new Zip((error, chunk) => {
      failure ??= error;
      if (!error) writeSync(fd, chunk);
    });
    for (const name of filesBelow(folder)) await addFile(zip, name, join(folder, name));
    zip.end();
    if (failure) throw failure;
  } finally {
    closeSync(fd);
  }
}

/**
 * Packs the regular files below `folder` into a new zip file. Rejects with BadZip where the result would not be read again:
 * too large, or with names that are not plain; otherwise with Node's own errors. What it rejected for may be there in part.
 */
export async function packFolder(folder: string, path: string, limits: ZipLimits): Promise<void> {
  await writeEntries(folder, path);
  checkZip(path, limits);
}

/** The same, whole or not at all, even if the harness is killed. */
export async function writeZip(folder: string, path: string, limits: ZipLimits): Promise<void> {
  await putWhole(path, async (unfinished) => {
    const { keep, remove } = removeIfKilled(unfinished);
    try {
      await packFolder(folder, unfinished, limits);
      await keep();
    } catch (error) {
      await remove();
      throw error;
    }
  });
}
