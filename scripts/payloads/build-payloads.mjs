import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { inCheckout, SetUpError, say } from '../setup/checkout.mjs';
import { withLock } from '../setup/lock.mjs';
import { buildImage, buildProgram, payloadSources, toolPrefix } from './assemble.mjs';
import { encodeCpio } from './cpio.mjs';
import { encodeFat12 } from './fat12.mjs';

const payloadsFolder = inCheckout('.build/payloads');
const placeholder = Buffer.from('NONCE:xxxxxxxxxxxxxxxxxxxxxxxxxx');

function initrd(arch) {
  const folders = ['dev', 'proc', 'sys'].map((name) => ({ name, type: 'directory', mode: 0o755 }));
  const cpio = encodeCpio([
    ...folders,
    { name: 'dev/console', type: 'character', mode: 0o600, device: [5, 1] },
    { name: 'init', type: 'file', mode: 0o755, data: buildProgram(`init-${arch}.s`, arch) },
  ]);
  // The gzip header names the operating system (RFC 1952); a fixed value keeps the bytes the same everywhere.
  const zipped = gzipSync(cpio, { level: 9 });
  zipped.writeUInt8(255, 9);
  return zipped;
}

const efiProbe = (arch) => buildImage(`probe-${arch}.s`, arch);
const biosProbe = () => buildImage('probe-bios.s', 'x86_64', ['--32']);

/** One disk for BIOS (boot sector) and UEFI (removable-media paths, UEFI 2.10 §3.5.1.1). */
const probeDisk = () =>
  encodeFat12(biosProbe(), {
    EFI: { BOOT: { 'BOOTX64.EFI': efiProbe('x86_64'), 'BOOTAA64.EFI': efiProbe('aarch64') } },
  });

/** `patched`: the file has nonce fields, whose positions are in a JSON file next to it. */
const payloads = [
  { file: 'linux-initrd-x86_64.cpio.gz', archs: ['x86_64'], patched: false, make: () => initrd('x86_64') },
  { file: 'linux-initrd-aarch64.cpio.gz', archs: ['aarch64'], patched: false, make: () => initrd('aarch64') },
  { file: 'probe-x86_64.efi', archs: ['x86_64'], patched: true, make: () => efiProbe('x86_64') },
  { file: 'probe-aarch64.efi', archs: ['aarch64'], patched: true, make: () => efiProbe('aarch64') },
  { file: 'probe-bios.0', archs: ['x86_64'], patched: true, make: biosProbe },
  { file: 'probe-disk.img', archs: ['x86_64', 'aarch64'], patched: true, make: probeDisk },
];

function offsetsOf(bytes) {
  const offsets = [];
  for (let at = bytes.indexOf(placeholder); at >= 0; at = bytes.indexOf(placeholder, at + 1)) offsets.push(at);
  return offsets;
}

const sidecarName = (file) => `${file.replace(/\.[^.]*$/, '')}.json`;

function writePayload({ file, patched, make }, folder) {
  const bytes = make();
  writeFileSync(`${folder}/${file}`, bytes);
  if (!patched) return;
  const nonce = { offsets: offsetsOf(bytes), bytes: placeholder.length };
  writeFileSync(`${folder}/${sidecarName(file)}`, `${JSON.stringify({ file, nonce }, null, 2)}\n`);
}

/** Payloads depend on their sources, these scripts and which tools there are; nothing else. */
function recipeHash(archs) {
  const folders = [payloadSources, inCheckout('scripts/payloads')];
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .sort()
      .map((name) => `${folder}/${name}`),
  );
  const hash = createHash('sha256').update(archs.join());
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}

function upToDate(hash) {
  try {
    const made = JSON.parse(readFileSync(`${payloadsFolder}/made.json`, 'utf8'));
    return made.hash === hash && made.files.every((file) => statSync(`${payloadsFolder}/${file}`).size > 0);
  } catch {
    return false;
  }
}

const archsWithTools = () => ['x86_64', 'aarch64'].filter((arch) => toolPrefix(arch) !== undefined);

/** As `buildPayloads`, but refuses to leave any out: for the package, whose users have no assembler. */
export function buildAllPayloads() {
  if (archsWithTools().length < 2)
    throw new SetUpError('the package needs all payloads: install binutils of both architectures');
  buildPayloads();
}

function buildInto(folder, archs, hash) {
  mkdirSync(folder, { recursive: true });
  const possible = payloads.filter((payload) => payload.archs.every((arch) => archs.includes(arch)));
  for (const payload of possible) writePayload(payload, folder);
  writeFileSync(`${folder}/made.json`, JSON.stringify({ hash, files: possible.map(({ file }) => file) }));
}

/** Builds the payloads into .build/payloads if sources or tools changed; says which cannot be built, and why. */
export function buildPayloads() {
  const archs = archsWithTools();
  const hash = recipeHash(archs);
  if (upToDate(hash)) return;
  withLock(() => {
    if (upToDate(hash)) return;
    say('building payloads');
    const work = `${payloadsFolder}.making`;
    rmSync(work, { recursive: true, force: true });
    buildInto(work, archs, hash);
    if (existsSync(payloadsFolder)) rmSync(payloadsFolder, { recursive: true });
    renameSync(work, payloadsFolder);
    for (const { file, archs: wanted } of payloads) {
      const missing = wanted.filter((arch) => !archs.includes(arch));
      if (missing.length > 0) say(`no ${file}: no assembler (binutils) for ${missing.join(', ')}`);
    }
  });
}
