import { createReadStream, existsSync } from 'node:fs';
import { lstat, mkdir, open, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { readArMembers } from './ar.ts';
import { unfetchable } from './package-source.ts';
import { writeSparse } from './sparse-file.ts';
import { unxz } from './unxz.ts';

/** Of the files of one package: firmware and kernels are below a hundred. */
const maxUnpackedBytes = 2 ** 31;
const maxEntries = 200_000;

/** As tar's --wildcards: `*` matches slashes too. */
const memberPattern = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replace(/[.+^$()|{}\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );

/** By the suffix of `data.tar` (deb(5)). Debian uses xz; Ubuntu's zst is not needed for packages signed by Debian. */
const decompressions: Readonly<Record<string, (compressed: Readable) => Readable>> = {
  '.xz': (compressed) => Readable.from(unxz(compressed)),
  '.gz': (compressed) => compressed.pipe(createGunzip()),
  '': (compressed) => compressed,
};

async function dataOf(path: string): Promise<Readable> {
  const name = basename(path);
  const file = await open(path);
  try {
    const members = await readArMembers(file, name);
    const data = members.find((member) => member.name.startsWith('data.tar'));
    const decompress = data && decompressions[data.name.slice('data.tar'.length)];
    if (data === undefined || decompress === undefined) {
      const seen = members.map((member) => member.name).join(', ');
      throw unfetchable(`${name}: expected data.tar, data.tar.xz or data.tar.gz in it, saw ${seen}`);
    }
    return decompress(createReadStream(path, { start: data.offset, end: data.offset + data.bytes - 1 }));
  } finally {
    await file.close();
  }
}

/** Whether a path without a leading slash stays below the folder it is unpacked into. */
const staysInside = (path: string): boolean => !path.startsWith('/') && !posix.normalize(path).startsWith('..');

interface Unpacking {
  /** Of the package, for messages. */
  readonly name: string;
  readonly into: string;
}

/** Refuses what would be written outside the folder, or through a link: where one leads is not for a later member to use. */
async function refuseUnsafe(member: string, { name, into }: Unpacking): Promise<void> {
  if (!staysInside(member)) throw unfetchable(`${name}: its member "${member}" would be written elsewhere`);
  for (let folder = posix.dirname(member); folder !== '.'; folder = posix.dirname(folder)) {
    const found = await lstat(join(into, folder)).catch(() => undefined);
    if (found?.isSymbolicLink()) throw unfetchable(`${name}: its member "${member}" would be written through a link`);
  }
}

/**
 * Where a link leads, below the folder: an absolute target means the root of the system, which the folder stands for.
 * @throws HarnessError `missing-asset` where that is outside
 */
function targetOf(member: string, target: string, { name }: Unpacking): string {
  const path = target.startsWith('/') ? target.replace(/^\/+/, '') : posix.join(posix.dirname(member), target);
  if (target !== '' && staysInside(path)) return posix.normalize(path);
  throw unfetchable(`${name}: its link "${member}" leads elsewhere, to "${target}"`);
}

/** Writes one wanted member; resolves to where it leads if it is a link. */
async function place(entry: ReadEntry, member: string, unpacking: Unpacking): Promise<string | undefined> {
  await refuseUnsafe(member, unpacking);
  const path = join(unpacking.into, member);
  await mkdir(dirname(path), { recursive: true });
  // Of the same set, from another package.
  await rm(path, { force: true });
  if (entry.type === 'SymbolicLink') {
    entry.resume();
    const target = targetOf(member, entry.linkpath ?? '', unpacking);
    await symlink(posix.relative(posix.dirname(member), target), path);
    return target;
  }
  if (entry.type !== 'File' && entry.type !== 'OldFile') {
    throw unfetchable(`${unpacking.name}: its member "${member}" is a ${entry.type}, which is not unpacked`);
  }
  await writeSparse(path, entry, (entry.mode ?? 0o644) & 0o755);
  return undefined;
}

/** Unpacks the members that are wanted; resolves to where links among them lead. */
async function unpackWanted(
  path: string,
  isWanted: (member: string) => boolean,
  unpacking: Unpacking,
): Promise<string[]> {
  const { Parser } = await import('tar');
  const data = await dataOf(path);
  const parser = new Parser({ strict: true });
  const targets: string[] = [];
  let bytes = 0;
  let entries = 0;
  let placed = Promise.resolve();
  // One at a time: an entry may lead through a link that the one before it makes.
  parser.on('entry', (entry: ReadEntry) => {
    const member = entry.path.replace(/^\.\//, '');
    entries += 1;
    bytes += entry.size;
    if (entries > maxEntries || bytes > maxUnpackedBytes) {
      data.destroy(unfetchable(`${unpacking.name}: it unpacks to too much`));
    } else if (entry.type === 'Directory' || !isWanted(member)) entry.resume();
    else {
      placed = placed.then(async () => {
        const target = await place(entry, member, unpacking);
        if (target !== undefined) targets.push(target);
      });
      placed.catch((error: Error) => data.destroy(error));
    }
  });
  await pipeline(data, parser).catch((error: Error) => {
    if (error.name === 'HarnessError') throw error;
    throw unfetchable(`${unpacking.name}: its contents cannot be read (${error.message})`);
  });
  await placed;
  return targets;
}

/** Of links that lead to links. */
const maxLinkDepth = 8;

/**
 * Unpacks the files and links of a .deb that match `patterns` (no leading slash) into a folder, without dpkg, and what
 * these links lead to. Rejects with HarnessError `missing-asset` for a file that is no package, or has members that would
 * be written elsewhere.
 */
export async function unpackDeb(path: string, patterns: readonly string[], into: string): Promise<void> {
  const wanted = patterns.map(memberPattern);
  const unpacking = { name: basename(path), into };
  let isWanted = (member: string) => wanted.some((pattern) => pattern.test(member));
  for (let depth = 0; depth < maxLinkDepth; depth += 1) {
    const targets = await unpackWanted(path, isWanted, unpacking);
    // A link may also lead to a file of another package.
    const missing = targets.filter((target) => !existsSync(join(into, target)));
    if (missing.length === 0) return;
    isWanted = (member) => missing.includes(member);
  }
}
