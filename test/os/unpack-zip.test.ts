import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { unzipSync, type Zippable, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { unpackZip } from '../../harness/os/unpack-zip.ts';
import { writeZip } from '../../harness/os/write-zip.ts';
import { BadZip, type ZipLimits } from '../../harness/os/zip-directory.ts';
import { seeded } from '../assets/seeded.ts';
import { folderOfTest } from '../temporary-folder.ts';

let folder: string;
folderOfTest((made) => {
  folder = made;
  mkdirSync(join(folder, 'to'));
});

const limits: ZipLimits = {
  maxEntries: 20,
  maxEntryBytes: 1 << 20,
  maxTotalBytes: 4 << 20,
  maxRatio: 20,
  ratioGraceBytes: 64 << 10,
};
const text = (words: string) => Buffer.from(words);

/** Unpacks these bytes; the files that came out, by name. */
async function unpack(bytes: Uint8Array, given = limits): Promise<Record<string, string>> {
  const to = join(folder, 'to');
  rmSync(to, { recursive: true });
  mkdirSync(to);
  writeFileSync(join(folder, 'a.zip'), bytes);
  await unpackZip(join(folder, 'a.zip'), to, given);
  const files = readdirSync(to, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(to.length + 1), readFileSync(path, 'latin1')];
    }),
  );
}

/** Only what was there before, and what is in the target. */
const untouched = () => readdirSync(folder).filter((name) => !['to', 'a.zip'].includes(name));

async function refused(bytes: Uint8Array, why: RegExp, given = limits): Promise<void> {
  const error = await unpack(bytes, given).then(
    () => undefined,
    (one: unknown) => one,
  );
  expect(error).toBeInstanceOf(BadZip);
  expect((error as Error).message).toMatch(why);
  expect(untouched()).toEqual([]);
}

/** Where each header of a central directory begins. */
function centralHeaders(zip: Buffer): number[] {
  const found: number[] = [];
  for (let at = zip.indexOf('PK\x01\x02'); at >= 0; at = zip.indexOf('PK\x01\x02', at + 1)) found.push(at);
  return found;
}

/** An archive with one of its bytes or fields changed. */
function changed(files: Zippable, change: (zip: Buffer, central: number[]) => void): Buffer {
  const zip = Buffer.from(zipSync(files, { level: 0 }));
  change(zip, centralHeaders(zip));
  return zip;
}

/** Renames an entry everywhere; the new name must be as long. */
const renamed = (from: string, to: string) =>
  Buffer.from(
    Buffer.from(zipSync({ [from]: text('x') }))
      .toString('latin1')
      .replaceAll(from, to),
    'latin1',
  );

describe('an archive', () => {
  it('of ours is unpacked, and read by others', async () => {
    const from = join(folder, 'from');
    mkdirSync(join(from, 'cases', 'one'), { recursive: true });
    writeFileSync(join(from, 'run.json'), '{}');
    writeFileSync(join(from, 'cases', 'one', 'serial.raw'), Buffer.alloc(3 << 19, 'boot '));
    writeFileSync(join(from, 'cases', 'one', 'empty'), '');
    symlinkSync('/etc/passwd', join(from, 'link'));
    const zip = join(folder, 'ours.zip');
    const roomy = { ...limits, maxRatio: 1000, maxEntryBytes: 2 << 20 };
    await writeZip(from, zip, roomy);
    const bytes = readFileSync(zip);
    expect(Object.keys(unzipSync(bytes)).sort()).toEqual(['cases/one/empty', 'cases/one/serial.raw', 'run.json']);
    const files = await unpack(bytes, roomy);
    expect(Object.keys(files).sort()).toEqual(['cases/one/empty', 'cases/one/serial.raw', 'run.json']);
    expect(files['cases/one/serial.raw']).toBe('boot '.repeat(10).padEnd(3 << 19, 'boot '));
    await writeZip(from, join(folder, 'again.zip'), roomy);
    expect(readFileSync(join(folder, 'again.zip')).equals(bytes)).toBe(true);
  });

  it('has what hardly shrinks as it is, between what does', async () => {
    const from = join(folder, 'from');
    mkdirSync(from);
    // As packets carry a compressed kernel: deflated, nine tenths of it would be left.
    const packets = Buffer.concat(Array.from({ length: 4 << 10 }, () => [Buffer.alloc(54), randomBytes(512)]).flat());
    const words = Buffer.alloc(3 << 20, 'boot ');
    const content = Buffer.concat([words, packets, words]);
    writeFileSync(join(from, 'wire.pcapng'), content);
    const zip = join(folder, 'ours.zip');
    const roomy = { ...limits, maxEntryBytes: 16 << 20, maxTotalBytes: 16 << 20 };
    await writeZip(from, zip, roomy);
    const archive = readFileSync(zip);
    const middle = packets.subarray(packets.length / 2, packets.length / 2 + 4 * 566);
    expect(archive.includes(middle)).toBe(true);
    expect(archive.length).toBeLessThan(packets.length * 1.05);
    expect(Buffer.from(unzipSync(archive)['wire.pcapng'] as Uint8Array).equals(content)).toBe(true);
    await unpackZip(zip, join(folder, 'to'), roomy);
    expect(readFileSync(join(folder, 'to', 'wire.pcapng')).equals(content)).toBe(true);
  });

  it('is hardly larger than what does not shrink', async () => {
    const from = join(folder, 'from');
    mkdirSync(from);
    const content = randomBytes((3 << 20) + 5);
    writeFileSync(join(from, 'initrd.gz'), content);
    const zip = join(folder, 'ours.zip');
    await writeZip(from, zip, { ...limits, maxEntryBytes: 4 << 20 });
    const headers = 500 + content.length / 10_000;
    expect(statSync(zip).size).toBeLessThan(content.length + headers);
  });

  it('is written in pieces, and other work goes on in between', async () => {
    const from = join(folder, 'from');
    const to = join(folder, 'zip');
    for (const made of [from, to]) mkdirSync(made);
    const bytes = 8 << 20;
    writeFileSync(join(from, 'wire.pcapng'), randomBytes(bytes));
    const lengths = new Set<number>();
    const onTurn = () => {
      for (const name of readdirSync(to)) {
        // Renamed by a thread, perhaps since it was listed.
        const found = statSync(join(to, name), { throwIfNoEntry: false });
        if (found) lengths.add(found.size);
      }
      turning = setImmediate(onTurn);
    };
    let turning = setImmediate(onTurn);
    await writeZip(from, join(to, 'a.zip'), { ...limits, maxEntryBytes: bytes, maxTotalBytes: bytes });
    clearImmediate(turning);
    const between = [...lengths].filter((length) => length > 0 && length < bytes);
    expect(between.length).toBeGreaterThan(1);
  });

  it.each([0, 6] as const)('of another writer is unpacked (level %i)', async (level) => {
    const zip = zipSync(
      { cases: { 'a.b@c': { 'plan.json': text('{}') } }, 'run.json': text('x'.repeat(500)) },
      { level },
    );
    expect(await unpack(zip)).toEqual({ 'cases/a.b@c/plan.json': '{}', 'run.json': 'x'.repeat(500) });
  });

  it('is not written if it could not be read again', async () => {
    const from = join(folder, 'from');
    mkdirSync(from);
    writeFileSync(join(from, 'two words'), '');
    await expect(writeZip(from, join(folder, 'bad.zip'), limits)).rejects.toThrow(/not a plain relative path/);
    expect(existsSync(join(folder, 'bad.zip'))).toBe(false);
  });
});

describe('a hostile archive is refused:', () => {
  it.each([
    ['climbs', 'aa/victim', '../victim'],
    ['climbs later', 'a/bb/victim', 'a/../victim'],
    ['is absolute', 'xtmp/victim', '/tmp/victim'],
    ['has a drive', 'cxvictim', 'c:victim'],
    ['has backslashes', 'aaxvictim', '..\\victim'],
    ['has an empty step', 'axbvictim', 'a//victim'],
    ['is hidden', 'aavictim', './victim'],
    ['has a NUL', 'avictim', 'vic\0tim'.slice(0, 7)],
    ['has a line feed', 'avictim', 'vic\ntim'],
    ['is not ASCII', 'avictim', 'vi\xc3\xa9tim'],
    ['is an option', 'avictim', '-victim'],
  ])('a name that %s', async (_, from, to) => {
    expect(to.length).toBe(from.length);
    await refused(renamed(from, to), /not a plain relative path/);
  });

  it('a link, a device, an encrypted entry, another method, another disk, ZIP64', async () => {
    const one: Zippable = { victim: [text('/etc/passwd'), { os: 3, attrs: (0o120777 << 16) >>> 0 }] };
    await refused(zipSync(one), /a link or a device/);
    await refused(zipSync({ victim: [text(''), { os: 3, attrs: (0o060600 << 16) >>> 0 }] }), /a link or a device/);
    const field = (offset: number, value: number) =>
      changed({ victim: text('x') }, (zip, [at = 0]) => zip.writeUInt16LE(value, at + offset));
    await refused(field(8, 1), /encrypted/);
    await refused(field(10, 9), /method 9/);
    await refused(field(34, 1), /another disk/);
    await refused(zipSync({ victim: [text('x'), { extra: { 1: new Uint8Array(8) } }] }), /ZIP64/);
    await refused(zipSync({ victim: [text('x'), { extra: { 28789: new Uint8Array(8) } }] }), /a second name/);
  });

  it('one name twice, in another case, or as file and folder', async () => {
    const twice = (a: string, b: string, as: string) =>
      Buffer.from(
        Buffer.from(zipSync({ [a]: text('1'), [b]: text('2') }))
          .toString('latin1')
          .replaceAll(b, as),
        'latin1',
      );
    await refused(twice('victim', 'victix', 'victim'), /in it twice/);
    await refused(zipSync({ victim: text('1'), VICTIM: text('2') }), /in it twice/);
    await refused(zipSync({ a: text('1'), 'A/b': text('2') }), /a file and a folder/);
  });

  it('too many, too large, too much, and too well compressed', async () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, nth) => [`f${nth}`, text('')]));
    await refused(zipSync(many), /21 entries, at most 20/);
    await refused(zipSync({ big: new Uint8Array((1 << 20) + 1) }), /at most 1048576 are unpacked/);
    const five = Object.fromEntries(Array.from({ length: 5 }, (_, nth) => [`f${nth}`, new Uint8Array(1 << 20)]));
    await refused(zipSync(five), /at most 4194304/, { ...limits, maxRatio: 10_000 });
    await refused(zipSync({ bomb: new Uint8Array(1 << 20) }), /more than 20 for each/);
  });

  it('one that promises less than it unpacks to, or more', async () => {
    const zeros = zipSync({ bomb: new Uint8Array(50_000) });
    const lie = (bytes: number) => {
      const zip = Buffer.from(zeros);
      zip.writeUInt32LE(bytes, (centralHeaders(zip)[0] as number) + 24);
      return zip;
    };
    await refused(lie(10), /more than the 10 bytes it promises/);
    await refused(lie(50_001), /checksum/);
  });

  it('entries that share bytes, or are described in two ways', async () => {
    const files = { one: text('1'.repeat(50)), two: text('2'.repeat(50)) };
    const second = (zip: Buffer, central: number[]) => zip.readUInt32LE((central[1] as number) + 42);
    await refused(
      changed(files, (zip, central) => zip.writeUInt32LE(second(zip, central) - 20, (central[1] as number) + 42)),
      /overlaps|described in two ways/,
    );
    await refused(
      changed(files, (zip, [, at = 0]) => zip.writeUInt32LE(0, at + 42)),
      /overlaps/,
    );
    await refused(
      changed(files, (zip) => zip.write('0ne', 30, 'latin1')),
      /described in two ways/,
    );
  });

  it('something before, after or between', async () => {
    const zip = Buffer.from(zipSync({ one: text('1') }));
    await refused(Buffer.concat([Buffer.alloc(10), zip]), /not where it should be/);
    await refused(Buffer.concat([zip, Buffer.alloc(10)]), /does not end/);
    await refused(zip.subarray(0, -1), /does not end/);
    await refused(zip.subarray(0, 10), /too short/);
  });
});

/** Interesting values for a field of a header. */
const values = [0, 1, 0x7f, 0xff, 0x100, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff];

describe('mutated archives', () => {
  const rounds = 400;
  it(`are unpacked into their folder or refused, and nothing else happens (${rounds} of them)`, async () => {
    const below = seeded(20261126);
    const whole = {
      'run.json': text('{"version":1}'),
      'cases/a/serial.raw': text('boot '.repeat(400)),
      'cases/a/x': text(''),
    };
    const zip = Buffer.from(zipSync(whole, { level: 6 }));
    const central = centralHeaders(zip);
    const locals = central.map((at) => zip.readUInt32LE(at + 42));
    const end = zip.length - 22;
    // Fields of the headers (APPNOTE §4.3.7, §4.3.12, §4.3.16) by offset and width.
    const fields = [
      ...central.flatMap((at) => [4, 6, 8, 10, 28, 30, 32, 34, 36].map((offset) => ({ at: at + offset, width: 2 }))),
      ...central.flatMap((at) => [16, 20, 24, 38, 42].map((offset) => ({ at: at + offset, width: 4 }))),
      ...locals.flatMap((at) => [4, 6, 8, 26, 28].map((offset) => ({ at: at + offset, width: 2 }))),
      ...[4, 6, 8, 10, 20].map((offset) => ({ at: end + offset, width: 2 })),
      ...[12, 16].map((offset) => ({ at: end + offset, width: 4 })),
    ];
    let accepted = 0;
    for (let round = 0; round < rounds; round++) {
      const mutant = Buffer.from(zip);
      for (let count = 1 + below(3); count > 0; count--) {
        const { at, width } = fields[below(fields.length)] as { at: number; width: number };
        const kind = below(3);
        if (kind === 0) mutant.writeUIntLE((values[below(values.length)] as number) % 2 ** (8 * width), at, width);
        else if (kind === 1) mutant[at] = (mutant[at] as number) ^ (1 << below(8));
        else mutant[below(mutant.length)] = below(256);
      }
      const files = await unpack(mutant).catch((error: unknown) => {
        expect(error).toBeInstanceOf(BadZip);
        return undefined;
      });
      expect(untouched()).toEqual([]);
      if (files === undefined) continue;
      accepted += 1;
      // What is accepted has the contents that were packed, whatever the names are now.
      const contents = new Set(Object.values(whole).map((content) => content.toString('latin1')));
      for (const content of Object.values(files)) expect(contents).toContain(content);
    }
    // Some fields, such as the time, may be anything.
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(rounds / 2);
  }, 60_000);
});

/** Skips a test where a program is not installed. */
function needs(context: { skip(note: string): void }, program: string): void {
  try {
    execFileSync(program, ['-v'], { stdio: 'ignore' });
  } catch {
    context.skip(`there is no ${program} program`);
  }
}

it('our archives are read by Info-ZIP, if it is here', async (context) => {
  needs(context, 'unzip');
  const from = join(folder, 'from');
  mkdirSync(from);
  writeFileSync(join(from, 'serial.raw'), 'boot '.repeat(1000));
  writeFileSync(join(from, 'initrd.gz'), randomBytes(3 << 20));
  writeFileSync(join(from, 'empty'), '');
  await writeZip(from, join(folder, 'ours.zip'), { ...limits, maxEntryBytes: 4 << 20 });
  execFileSync('unzip', ['-q', 'ours.zip', '-d', 'to'], { cwd: folder });
  for (const name of readdirSync(from))
    expect(readFileSync(join(folder, 'to', name)).equals(readFileSync(join(from, name)))).toBe(true);
});

it('the archives of Info-ZIP are read, if it is here', async (context) => {
  needs(context, 'zip');
  mkdirSync(join(folder, 'in', 'cases'), { recursive: true });
  writeFileSync(join(folder, 'in', 'cases', 'x'), 'hello');
  execFileSync('zip', ['-qr', '../info.zip', '.'], { cwd: join(folder, 'in') });
  const bytes = readFileSync(join(folder, 'info.zip'));
  expect(await unpack(bytes)).toEqual({ 'cases/x': 'hello' });
});
