import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { findMirror } from '../../harness/install/apt-sources.ts';
import { inspectMachine } from '../../harness/install/machine.ts';
import { checkout, compile, compiled, openWorkplace } from './cli.ts';

beforeAll(compile, 300_000);

const made = (folder: string) => JSON.parse(readFileSync(join(folder, 'made.json'), 'utf8')).files as object;
const digests = (folder: string) =>
  Object.keys(made(folder)).map((file) => [
    file,
    createHash('sha256')
      .update(readFileSync(join(folder, file)))
      .digest('hex'),
  ]);

// The mirror that set-up uses, by apt, is used here without it.
const mirror = findMirror(inspectMachine().codename ?? '');

describe.skipIf(mirror === undefined)('on a machine that has neither apt nor dpkg', () => {
  it('a program is fetched from a Debian mirror, byte for byte what apt and dpkg give', async () => {
    using place = openWorkplace();
    const programs = join(place.folder, 'bin');
    mkdirSync(programs);
    symlinkSync(process.execPath, join(programs, 'node'));
    const { stdout, stderr, exitCode } = await execa(
      join(programs, 'node'),
      [join(compiled, 'cli/main.js'), 'install', 'tgt', '--mirror', mirror?.uri ?? ''],
      { env: { PATH: programs, NETBOOT_CACHE: place.folder }, extendEnv: false, reject: false },
    );
    expect(stderr).not.toContain('could not be fetched');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `installed in ${place.folder}` });
    const fetched = digests(join(place.folder, 'programs/tgt'));
    expect(fetched.length).toBeGreaterThan(3);
    expect(fetched).toEqual(digests(join(checkout, '.cache/programs/tgt')));
  });
});
