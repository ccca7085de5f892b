import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it, vi } from 'vitest';
import { folderOfFile, folderOfTest } from '../temporary-folder.ts';
import { netbootWith } from './netboot.ts';

// With an empty cache every file of the host's sets is looked at first.
vi.setConfig({ testTimeout: 60_000 });

const recorded = fileURLToPath(new URL('../../fixtures/report/run', import.meta.url));
const caseId = 'bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled';

const cache = folderOfFile();

let folder: string;
let run: string;
folderOfTest((made) => {
  folder = made;
  run = join(folder, 'results');
  cpSync(recorded, run, { recursive: true });
});

const netboot = (...argv: string[]) => netbootWith({ ...process.env, NETBOOT_CACHE: cache }, ...argv);
const at = (name: string) => join(folder, name);
const filesOf = (zip: string) => Object.keys(unzipSync(readFileSync(zip))).sort();
const textIn = (zip: string, name: string) => Buffer.from(unzipSync(readFileSync(zip))[name] as Uint8Array).toString();
const temporaryBundles = () => readdirSync(tmpdir()).filter((name) => name.startsWith('netboot-bundle-'));

async function bundled(...argv: string[]): Promise<string> {
  const before = temporaryBundles();
  expect(await netboot('bundle', ...argv, '--out', at('a.zip'))).toMatchObject({ code: 0 });
  expect(temporaryBundles()).toEqual(before);
  return at('a.zip');
}

/** A case's directory with other inputs, each a file with these words. */
function caseWithInputs(words: Record<string, string>): { directory: string; sha256: (role: string) => string } {
  const directory = join(run, 'cases', caseId);
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  mkdirSync(at('files'));
  const inputs = Object.entries(words).map(([role, text]) => {
    writeFileSync(at(`files/${role}`), text);
    const from = { name: `${role}-package`, version: '1.2-3' };
    return { role, path: at(`files/${role}`), sha256: hash(text), bytes: text.length, package: from };
  });
  const plan = JSON.parse(readFileSync(join(directory, 'plan.json'), 'utf8'));
  writeFileSync(join(directory, 'plan.json'), JSON.stringify({ ...plan, inputs }));
  return { directory, sha256: (role) => hash(words[role] as string) };
}

describe('bundle', () => {
  it('packs the records and reports of one case', async () => {
    const zip = await bundled(join(run, 'cases', caseId));
    const records = readdirSync(join(run, 'cases', caseId)).map((name) => `cases/${caseId}/${name}`);
    expect(filesOf(zip)).toEqual(
      [...records, 'configurations.md', 'inputs.json', 'junit.xml', 'report.html', 'results.json', 'summary.md'].sort(),
    );
    const results = JSON.parse(textIn(zip, 'results.json'));
    expect(results.cases.map(({ id }: { id: string }) => id)).toEqual([caseId]);
    expect(results.totals.passed + results.totals.failed).toBe(1);
    const inputs = JSON.parse(textIn(zip, 'inputs.json'));
    expect(inputs[0]).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), included: false });
  });

  it('packs a run, and judge, report and compare take it as they take the directory', async () => {
    const zip = await bundled(run);
    const judged = (text: string) =>
      JSON.parse(text).map(({ id, status, diagnosis }: Record<string, string>) => ({ id, status, diagnosis }));
    expect(judged((await netboot('judge', zip, '--json')).out)).toEqual(
      judged((await netboot('judge', run, '--json')).out),
    );
    expect(await netboot('compare', zip, run)).toMatchObject({
      code: 0,
      out: expect.stringContaining('7 cells compared: no difference'),
    });
    expect((await netboot('compare', zip, zip)).code).toBe(0);
    expect(await netboot('report', zip)).toMatchObject({ code: 0, out: `${at('a.html')}\n` });
    expect(existsSync(at('a.html'))).toBe(true);
  });

  it('packs a case that was copied without its run, for judge and repro', async () => {
    cpSync(join(run, 'cases', caseId), at('my case'), { recursive: true });
    const zip = await bundled(at('my case'));
    expect(await netboot('judge', zip)).toMatchObject({ out: expect.stringMatching(/^passed/) });
    expect(await netboot('repro', zip, '--print')).toMatchObject({
      code: 0,
      out: expect.stringContaining('qemu-system-x86_64'),
    });
    expect(await netboot('compare', zip, zip)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/a\.zip: .*results/),
    });
  });

  it('packs inputs by their SHA-256, each once', async () => {
    const { directory, sha256 } = caseWithInputs({ oprom: 'a ROM', nbp: 'a loader', served: 'a loader' });
    const zip = await bundled(directory, '--inputs');
    expect(filesOf(zip).filter((name) => name.startsWith('inputs/'))).toEqual(
      [`inputs/${sha256('oprom')}`, `inputs/${sha256('nbp')}`].sort(),
    );
    expect(textIn(zip, `inputs/${sha256('nbp')}`)).toBe('a loader');
  });

  it('refuses inputs that are no longer what was used, and leaves nothing', async () => {
    const { directory } = caseWithInputs({ oprom: 'a ROM' });
    writeFileSync(at('files/oprom'), 'another');
    expect(await netboot('bundle', directory, '--inputs', '--out', at('a.zip'))).toMatchObject({
      code: 3,
      err: expect.stringMatching(/files\/oprom: is no longer the file that was used/),
    });
    expect(existsSync(at('a.zip'))).toBe(false);
    expect((await netboot('bundle', directory, '--out', at('a.zip'))).code).toBe(0);
    expect(await netboot('bundle', directory, '--out', at('a.zip'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('it exists already'),
    });
  });
});

describe('repro of a bundle', () => {
  it('names the files that are not at hand, with the packages that have them', async () => {
    const { directory, sha256 } = caseWithInputs({ oprom: 'a ROM of nobody', nbp: 'a loader of nobody' });
    const zip = await bundled(directory);
    expect(await netboot('repro', zip, '--out', at('out'))).toMatchObject({
      code: 3,
      err: expect.stringMatching(
        new RegExp(
          `a\\.zip: not at hand .*\\n  oprom oprom: package oprom-package 1\\.2-3, SHA-256 ${sha256('oprom')}`,
        ),
      ),
    });
    expect(existsSync(at('out'))).toBe(false);
  });

  it('asks for one case, and takes the one that is named', async () => {
    const zip = await bundled(run);
    const refused = (what: RegExp) => ({ code: 2, err: expect.stringMatching(what) });
    expect(await netboot('repro', zip)).toMatchObject(
      refused(/a\.zip: expected one case, saw a run with 6 cases\n.*netboot repro .*a\.zip CASE/),
    );
    expect(await netboot('repro', zip, 'bios-*', '--print')).toMatchObject(
      refused(/a\.zip: "bios-\*" matches \d+ cases: bios-/),
    );
    expect(await netboot('repro', zip, '../..')).toMatchObject(refused(/a\.zip: no case "\.\.\/\.\." in it/));
    for (const record of [zip, run])
      expect(await netboot('repro', record, caseId, '--print')).toMatchObject({
        code: 0,
        out: expect.stringMatching(/qemu-system-x86_64 .*e1000/),
      });
    expect(await netboot('repro', at('nothing.zip'), caseId)).toMatchObject(refused(/nothing\.zip: there is no such/));
  });

  it('boots a case of a whole run only from its own files', async () => {
    const { sha256 } = caseWithInputs({ oprom: 'a ROM of nobody' });
    expect(await netboot('repro', await bundled(run), caseId, '--out', at('out'))).toMatchObject({
      code: 3,
      err: expect.stringMatching(new RegExp(`a\\.zip: not at hand .*\\n  oprom oprom: .*SHA-256 ${sha256('oprom')}`)),
    });
    expect(existsSync(at('out'))).toBe(false);
  });

  it("keeps to the rules for strangers' files", async () => {
    const directory = join(run, 'cases', caseId);
    const plan = JSON.parse(readFileSync(join(directory, 'plan.json'), 'utf8'));
    const ask = async (fields: object) => {
      writeFileSync(
        join(directory, 'plan.json'),
        JSON.stringify({ ...plan, scenario: { ...plan.scenario, ...fields } }),
      );
      rmSync(at('a.zip'), { force: true });
      return netboot('repro', await bundled(directory), '--out', at('out'));
    };
    const refused = (what: RegExp) => ({ code: 2, err: expect.stringMatching(what) });
    expect(await ask({ qemuArgs: ['-S'] })).toMatchObject(refused(/reaches beyond the guest:\n {2}qemuArgs: -S/));
    expect(await ask({ qemu: { file: '/bin/true' } })).toMatchObject(refused(/qemu\.file: \/bin\/true/));
    expect(await ask({ kernel: { file: '/etc/hostname' } })).toMatchObject(refused(/kernel\.file: \/etc\/hostname/));
    expect(existsSync(at('out'))).toBe(false);
  });

  it('refuses a file in the bundle that is not what its name says', async () => {
    const { directory, sha256 } = caseWithInputs({ oprom: 'a ROM' });
    const files = unzipSync(readFileSync(await bundled(directory, '--inputs')));
    files[`inputs/${sha256('oprom')}`] = Buffer.from('another');
    writeFileSync(at('b.zip'), zipSync(files));
    expect(await netboot('repro', at('b.zip'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/b\.zip: inputs\/.*: its content is not what its name says/),
    });
  });
});

it.each(['judge', 'report', 'repro', 'compare'])(
  '%s refuses a hostile or damaged bundle, and leaves nothing',
  async (command) => {
    const climbing = Buffer.from(
      Buffer.from(zipSync({ 'aa/netboot-victim': Buffer.from('x') }))
        .toString('latin1')
        .replaceAll('aa/netboot-victim', '../netboot-victim'),
      'latin1',
    );
    for (const [bytes, why] of [
      [climbing, /a\.zip: refused: the name "\.\.\/netboot-victim" is not a plain relative path/],
      [Buffer.from('no zip at all, but long enough'), /a\.zip: refused: it does not end as a zip file/],
    ] as const) {
      writeFileSync(at('a.zip'), bytes);
      const before = temporaryBundles();
      const argv = command === 'compare' ? [at('a.zip'), run] : [at('a.zip')];
      expect(await netboot(command, ...argv)).toMatchObject({ code: 2, err: expect.stringMatching(why) });
      expect(temporaryBundles()).toEqual(before);
    }
    expect(existsSync(join(tmpdir(), 'netboot-victim'))).toBe(false);
  },
);
