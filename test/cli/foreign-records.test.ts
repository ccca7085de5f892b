import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runRecords } from '../../harness/run/records/run-records.ts';
import { folderOfTest } from '../temporary-folder.ts';
import { netbootWith } from './netboot.ts';

const recorded = fileURLToPath(new URL('../../fixtures/runs/bios-no-driver', import.meta.url));

let folder: string;
folderOfTest((made) => {
  folder = made;
});

const netboot = (...argv: string[]) => netbootWith({ ...process.env, NETBOOT_CACHE: join(folder, 'cache') }, ...argv);

type Json = Record<string, unknown>;
const read = (path: string): Json => JSON.parse(readFileSync(path, 'utf8'));
const scenario = () => read(join(recorded, 'plan.json')).scenario as Json;

/** A folder that no run of ours may touch. */
function victim(): { untouched(): boolean; path: string } {
  const path = join(folder, 'victim');
  mkdirSync(path);
  writeFileSync(join(path, 'precious'), 'x');
  return { path, untouched: () => existsSync(join(path, 'precious')) };
}

/** A case's directory with one of its records changed. */
function caseWith(file: string, change: (record: Json) => void): string {
  const directory = join(folder, 'case');
  cpSync(recorded, directory, { recursive: true });
  const record = read(join(directory, file));
  change(record);
  writeFileSync(join(directory, file), JSON.stringify(record));
  return directory;
}

/** The directory of a run that was interrupted, with these cells still to be run. */
function runWith(cells: Json[], fields: Json = {}): string {
  const directory = join(folder, 'run');
  mkdirSync(join(directory, 'cases'), { recursive: true });
  const record = { version: 1, matrix: 'x', startedAt: '2026-01-02T03:04:05Z', cells, repeat: 1, ...fields };
  writeFileSync(join(directory, 'run.json'), JSON.stringify(record));
  return directory;
}

const refused = (what: RegExp) => ({ code: 2, err: expect.stringMatching(what), out: expect.any(String) });

describe('an id that is a path', () => {
  const ids = ['../../../victim', '..', '.', '/etc', 'a/b', 'a\\b', 'a\nb', '', '~', 'x'.repeat(300), 'a\0b', '-rf'];

  it.each(ids)('is refused in plan.json: %j', async (id) => {
    const { untouched } = victim();
    const directory = caseWith('plan.json', (plan) => {
      plan.scenario = { ...(plan.scenario as Json), id };
      plan.inputs = [];
    });
    for (const argv of [
      ['repro', directory, '--out', join(folder, 'out')],
      ['repro', directory, '--print'],
      ['judge', directory],
    ]) {
      expect(await netboot(...argv)).toMatchObject(refused(/plan\.json: .*id: /));
    }
    expect(untouched()).toBe(true);
    expect(existsSync(join(folder, 'out'))).toBe(false);
  });

  it.each(ids)('is refused in run.json: %j', async (id) => {
    const { untouched } = victim();
    const directory = runWith([{ ...scenario(), id }]);
    expect(await netboot('run', '--resume', directory)).toMatchObject(refused(/run\.json: .*id: /));
    expect(untouched()).toBe(true);
  });

  it('is refused in result.json', async () => {
    const directory = runWith([scenario()]);
    const { id } = scenario();
    cpSync(recorded, join(directory, 'cases', String(id)), { recursive: true });
    const file = join(directory, 'cases', String(id), 'result.json');
    writeFileSync(file, JSON.stringify({ ...read(file), id: '../../../victim' }));
    expect(await netboot('run', '--resume', directory)).toMatchObject(refused(/result\.json: .*id: /));
  });
});

it('a plan with a list of boots that has none is refused', async () => {
  const directory = caseWith('plan.json', (plan) => {
    plan.boots = [];
  });
  expect(await netboot('judge', directory)).toMatchObject(refused(/plan\.json: .*boots: expected a non-empty list/));
});

describe('a run directory', () => {
  it('with two cells of one id, even by case alone, is refused: they would share a directory', async () => {
    const id = String(scenario().id);
    const directory = runWith([scenario(), { ...scenario(), id: id.toUpperCase() }]);
    expect(await netboot('run', '--resume', directory)).toMatchObject(refused(/run\.json: .*two cells/));
  });

  it('with more repeats than anyone waits for is refused at once', async () => {
    const directory = runWith([scenario()], { repeat: 1e15 });
    expect(await netboot('run', '--resume', directory)).toMatchObject(refused(/run\.json: .*repeat/));
  });

  it.each(['cases', 'cases/ID'])('is not followed out of itself: %s is a link', async (name) => {
    const { path, untouched } = victim();
    const directory = runWith([scenario()]);
    const id = String(scenario().id);
    mkdirSync(join(path, id));
    writeFileSync(join(path, id, 'precious'), 'x');
    const link = join(directory, name.replace('ID', id));
    rmSync(link, { recursive: true, force: true });
    symlinkSync(name === 'cases' ? path : join(path, id), link);
    expect(await netboot('run', '--resume', directory)).toMatchObject(refused(/symbolic link/));
    expect(untouched()).toBe(true);
    expect(existsSync(join(path, id, 'precious'))).toBe(true);
  });

  it('whose reports are links to elsewhere gets reports of its own', async () => {
    const { path, untouched } = victim();
    const directory = runWith([{ ...scenario(), set: 'no-such-set' }]);
    for (const name of ['results.json', 'results.json.new', 'summary.md.new', 'junit.xml.new'])
      symlinkSync(join(path, 'precious'), join(directory, name));
    expect(await netboot('run', '--resume', directory)).toMatchObject({ code: 3, err: '' });
    expect(untouched()).toBe(true);
    expect(readFileSync(join(path, 'precious'), 'utf8')).toBe('x');
    expect(read(join(directory, 'results.json'))).toMatchObject({ version: 1 });
  });

  it.each([
    ['an absolute one', '/etc'],
    ['one above', '../../victim'],
    ['a line break', 'cases/a\nb'],
  ])('whose result has %s for its directory is refused', async (_, value) => {
    const directory = runWith([scenario()]);
    const id = String(scenario().id);
    cpSync(recorded, join(directory, 'cases', id), { recursive: true });
    const file = join(directory, 'cases', id, 'result.json');
    const result = read(file);
    writeFileSync(file, JSON.stringify({ ...result, run: { ...(result.run as Json), directory: value } }));
    expect(await netboot('run', '--resume', directory)).toMatchObject(refused(/result\.json: .*directory: /));
  });
});

describe('a report of a run that someone else made', () => {
  const recordedRun = fileURLToPath(new URL('../../fixtures/report/run', import.meta.url));

  function runWithSerial(change: (serial: string) => void): { read: () => unknown } {
    const run = join(folder, 'reported');
    cpSync(recordedRun, run, { recursive: true });
    const [id = ''] = readdirSync(join(run, 'cases'));
    const serial = join(run, 'cases', id, 'serial.raw');
    rmSync(serial);
    change(serial);
    return { read: () => runRecords(run).read(join('cases', id)) };
  }

  it('does not take in a file of mine that a link in it leads to', () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'key');
    const { read: take } = runWithSerial((serial) => symlinkSync(secret, serial));
    expect(take).toThrow(/serial\.raw: it is a symbolic link/);
  });

  it('does not wait for a pipe', () => {
    const { read: take } = runWithSerial((serial) => execFileSync('mkfifo', [serial]));
    expect(take).toThrow(/not a regular file/);
  });

  it('does not leave the run by a directory that is a link', () => {
    const run = join(folder, 'linked');
    mkdirSync(run);
    symlinkSync(join(recordedRun, 'cases'), join(run, 'cases'));
    const [id = ''] = readdirSync(join(run, 'cases'));
    expect(() => runRecords(run).read(join('cases', id))).toThrow(/cases: it is a symbolic link/);
  });
});

describe('a record without end', () => {
  it.each(['plan.json', 'events.jsonl'])('is refused where %s is a pipe, not waited for', async (file) => {
    const directory = caseWith('plan.json', () => {});
    rmSync(join(directory, file));
    execFileSync('mkfifo', [join(directory, file)]);
    expect(await netboot('judge', directory)).toMatchObject(refused(/not a regular file/));
  });

  it.each(['plan.json', 'events.jsonl'])('is refused by its size: %s', async (file) => {
    const directory = caseWith('plan.json', () => {});
    // Sparse: it takes no room.
    truncateSync(join(directory, file), 2 ** 31);
    expect(await netboot('judge', directory)).toMatchObject(refused(/2147483648 bytes.*at most/));
  });

  it('is refused by its depth', async () => {
    const directory = caseWith('plan.json', () => {});
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    writeFileSync(join(directory, 'plan.json'), deep);
    expect(await netboot('judge', directory)).toMatchObject(refused(/plan\.json: .*nested/));
  });

  it('is refused by one line of it', async () => {
    const directory = caseWith('plan.json', () => {});
    const event = { tMs: 1, source: 'vm', type: 'stderr', text: 'x'.repeat(5_000_000) };
    writeFileSync(join(directory, 'events.jsonl'), `${JSON.stringify(event)}\n`);
    expect(await netboot('judge', directory)).toMatchObject(refused(/events\.jsonl, line 1: .*longer than/));
  });

  it('is refused by the depth of one line of it', async () => {
    const directory = caseWith('plan.json', () => {});
    const data = `${'{"a":'.repeat(2_000)}1${'}'.repeat(2_000)}`;
    writeFileSync(
      join(directory, 'events.jsonl'),
      `{"tMs":1,"source":"qmp","type":"event","name":"X","data":${data}}\n`,
    );
    expect(await netboot('judge', directory)).toMatchObject(refused(/events\.jsonl, line 1: .*nested/));
  });
});
