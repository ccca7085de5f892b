import { cpSync, createWriteStream, lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { HarnessError } from '../../model/errors.ts';
import type { Plan } from '../../model/plan.ts';
import type { ServedEntry } from '../../services/tree/served-entry.ts';
import { openTree } from '../../services/tree/served-tree.ts';
import { pathInside } from './inside.ts';

const pieceBytes = 1 << 20;

async function writeEntry(entry: ServedEntry, path: string): Promise<void> {
  const stream = createWriteStream(path);
  for (let offset = 0; offset < entry.bytes; ) {
    const piece = Buffer.alloc(Math.min(pieceBytes, entry.bytes - offset));
    offset += await entry.read(offset, piece.length, piece);
    stream.write(piece);
  }
  await finished(stream.end());
}

/** Writes what a plan serves below `folder`; without redirects, which only HTTP has, and links, which are not served. */
export async function writeTree(serve: Plan['serve'], folder: string): Promise<void> {
  const tree = openTree(serve);
  for (const [name, file] of Object.entries(serve)) {
    const path = pathInside(folder, name.replace(/^\/+/, ''));
    mkdirSync(dirname(path), { recursive: true });
    if ('path' in file && lstatSync(file.path).isDirectory()) {
      cpSync(file.path, path, { recursive: true, filter: (source) => !lstatSync(source).isSymbolicLink() });
      continue;
    }
    const entry = await tree.lookup(name);
    if (entry.kind === 'file') await writeEntry(entry, path);
    else if (entry.kind === 'refused') throw new HarnessError('missing-asset', entry.reason);
  }
}
