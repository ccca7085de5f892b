import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inCheckout, SetUpError } from '../setup/checkout.mjs';
import { onPath } from '../setup/on-path.mjs';

export const payloadSources = inCheckout('fixtures/payloads');

const run = (program, ...args) => {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new SetUpError(`${program}: ${error?.message ?? stderr}`);
};

/** The name prefix of the binutils for an architecture; undefined if there are none. */
export const toolPrefix = (arch) =>
  [`${arch}-linux-gnu-`, `${arch}-elf-`].find((prefix) =>
    ['as', 'ld', 'objcopy'].every((tool) => onPath(prefix + tool)),
  );

function build(source, arch, link) {
  const folder = mkdtempSync(join(tmpdir(), 'payload-'));
  try {
    const object = join(folder, 'object');
    const output = join(folder, 'output');
    link({ prefix: toolPrefix(arch), source: join(payloadSources, source), object, output });
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Assembles a Linux program without libraries. */
export const buildProgram = (source, arch) =>
  build(source, arch, ({ prefix, source: file, object, output }) => {
    run(`${prefix}as`, '-o', object, file);
    run(`${prefix}ld`, '-static', '-s', '-z', 'noseparate-code', '--build-id=none', '-o', output, object);
  });

/** Assembles an image that lays itself out: the bytes of `.text`, nothing else. */
export const buildImage = (source, arch, flags = []) =>
  build(source, arch, ({ prefix, source: file, object, output }) => {
    run(`${prefix}as`, ...flags, '-I', payloadSources, '-o', object, file);
    run(`${prefix}objcopy`, '-O', 'binary', '-j', '.text', object, output);
  });
