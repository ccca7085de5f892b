import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runReporters } from '../../harness/cli/reporters.ts';
import { groupLocator } from '../../harness/matrix/locate-group.ts';
import type { CaseResult } from '../../harness/model/verdict.ts';
import defaultMatrix from '../../scenarios/default.ts';
import { recordingIo } from '../cli/netboot.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { failedCase, notRunCase, sampleCase, sampleRun, stoppedCase } from './sample-run.ts';

const folder = folderOfFile();
const matrix = join(folder, 'bug.json');
writeFileSync(
  matrix,
  '{\n  "name": "bug",\n  "groups": [\n    { "name": "other" },\n    { "name" : "bios", "nic": "e1000" }\n  ]\n}\n',
);

const flaky = sampleCase({ id: 'flaky', verdict: { status: 'flaky', diagnosis: 'timed out, then not' } });
const error = sampleCase({ id: 'error', verdict: { status: 'error', diagnosis: 'disk full # really' } });
const cases = [sampleCase(), stoppedCase, failedCase, flaky, error, notRunCase];

/** What the reporters of a run write to standard output and error, and into its directory. */
async function replay(
  results: readonly CaseResult[],
  options: { reporter?: never[] | string[]; env?: NodeJS.ProcessEnv; quiet?: boolean },
) {
  const { io, written } = recordingIo({ GITHUB_WORKSPACE: folder, ...options.env });
  const outDir = mkdtempSync(join(folder, 'run-'));
  for (const { run } of results) {
    if (run.directory === null) continue;
    mkdirSync(join(outDir, run.directory), { recursive: true });
    writeFileSync(
      join(outDir, run.directory, 'console.txt'),
      'SeaBIOS\n::error::owned\n  ##[add-path]/tmp\n::endgroup::\nNo bootable device.\n',
    );
  }
  const { reporter, failures } = runReporters(io, {
    setDirs: [],
    quiet: options.quiet ?? false,
    reporter: options.reporter as never,
    matrix,
  });
  const run = sampleRun([...results]);
  await reporter.onRunStart({ matrix: run.matrix, outDir, total: results.length });
  for (const result of results) await reporter.onCaseEnd(result);
  await reporter.onRunEnd(run);
  return { ...written, outDir, failures };
}

describe('tap', () => {
  it('has a plan and a result for each case, numbered as they end, and nothing that is not KTAP', async () => {
    const { out, err } = await replay(cases, { reporter: ['tap'] });
    const lines = out.trimEnd().split('\n');
    expect(lines.slice(0, 2)).toEqual(['KTAP version 1', '1..6']);
    expect(lines.filter((line) => /^(not )?ok/.test(line))).toEqual([
      'ok 1 bios.x86_64.pc.seabios.e1000.bundled',
      'ok 2 uefi.x86_64.q35.ovmf.e1000.none',
      'not ok 3 bios.x86_64.pc.seabios.pcnet.bundled',
      'not ok 4 flaky',
      'not ok 5 error',
      'ok 6 arm.aarch64.virt.aavmf.e1000.snp # SKIP no such ROM in set host',
    ]);
    expect(lines.slice(2).filter((line) => !/^(# [^#]*|(not )?ok \d+ [^#]*( # SKIP [^#]*)?)$/.test(line))).toEqual([]);
    expect(out).toContain('# disk full · really');
    expect(err).toBe('');
  });

  it('shares with a progress reporter, which then writes to standard error', async () => {
    const { out, err } = await replay(cases, { reporter: ['tap', 'plain'] });
    expect(out).toMatch(/^KTAP/);
    expect(err).toContain('[1/6] passed');
  });
});

describe('github', () => {
  it('chooses itself in GitHub Actions, folds what failed with its console, and annotates it', async () => {
    const { out } = await replay(cases, { env: { GITHUB_ACTIONS: 'true' } });
    const lines = out.trimEnd().split('\n');
    expect(lines.filter((line) => line.startsWith('::'))).toEqual([
      '::group::[3/6] failed      bios.x86_64.pc.seabios.pcnet.bundled 5.8 s',
      '::endgroup::',
      '::group::[4/6] flaky       flaky 5.8 s',
      '::endgroup::',
      '::group::[5/6] error       error 5.8 s',
      '::endgroup::',
      expect.stringMatching(
        /^::error file=bug\.json,line=5,title=failed%3A bios\.\S+::no DHCP; .*"No bootable device\."%0Aexpected: reaches its last stage$/,
      ),
      expect.stringMatching(/^::error file=bug\.json,line=5,title=flaky%3A flaky::/),
      expect.stringMatching(/^::error file=bug\.json,line=5,title=error%3A error::/),
      '::warning title=1 not run::no such ROM in set host',
    ]);
    expect(lines).toContain('  | No bootable device.');
  });

  it('lets no guest give commands to the runner', async () => {
    const evil = sampleCase({
      id: 'evil',
      verdict: { status: 'failed', diagnosis: '::error::x ##[add-path]/tmp\n::set-env name=PATH::/tmp' },
    });
    const { out } = await replay([evil], { env: { GITHUB_ACTIONS: 'true' } });
    const commands = out.split('\n').filter((line) => /^\s*::/.test(line) || line.includes('##['));
    expect(commands.map((line) => line.slice(0, 9))).toEqual(['::group::', '::endgrou', '::error f']);
    expect(commands.at(-1)).not.toContain('##[');
  });

  it('annotates ten of many, and says how many more there are', async () => {
    const many = Array.from({ length: 13 }, (_, nth) =>
      sampleCase({ id: `case${nth}`, verdict: { status: 'failed' } }),
    );
    const { out } = await replay(many, { env: { GITHUB_ACTIONS: 'true' } });
    expect(out.match(/^::error /gm)).toHaveLength(10);
    expect(out).toContain('::notice::3 more cases were not as expected');
  });
});

describe('gitlab', () => {
  it('writes a code quality report: an issue for each case that was not as expected', async () => {
    const issues = async () => {
      const { outDir } = await replay(cases, { reporter: ['gitlab'] });
      return JSON.parse(readFileSync(join(outDir, 'gl-code-quality-report.json'), 'utf8'));
    };
    const first = await issues();
    expect(first).toEqual([
      {
        description:
          'failed: bios.x86_64.pc.seabios.pcnet.bundled: no DHCP; the last thing seen was "No bootable device."',
        check_name: 'seabios-no-boot',
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        severity: 'major',
        location: { path: 'bug.json', lines: { begin: 5 } },
      },
      expect.objectContaining({ check_name: 'flaky', severity: 'minor' }),
      expect.objectContaining({ check_name: 'error', severity: 'critical' }),
    ]);
    expect(new Set(first.map(({ fingerprint }: { fingerprint: string }) => fingerprint)).size).toBe(3);
    expect(await issues()).toEqual(first);
  });
});

it('refuses reporters that would write to one place', async () => {
  await expect(replay([], { reporter: ['live', 'plain'] })).rejects.toThrow(/live and plain would write to one place/);
  await expect(replay([], { reporter: ['tap'], quiet: true })).rejects.toThrow(
    /--json would both write to standard output/,
  );
});

it('finds where groups of the default matrix are declared, except those with a computed name', () => {
  const locate = groupLocator(fileURLToPath(new URL('../../scenarios', import.meta.url)));
  const found = defaultMatrix.groups.flatMap(({ name }) => {
    const place = locate(name);
    return place === undefined ? [] : [{ name, line: readFileSync(place.file, 'utf8').split('\n')[place.line - 1] }];
  });
  expect(found.filter(({ name, line }) => !line?.includes(name))).toEqual([]);
  expect(found.length).toBeGreaterThan(50);
  expect(locate('bios-ipxe-rom')?.file).toMatch(/first-stages\.ts$/);
  expect(locate('nowhere')).toBeUndefined();
  expect(groupLocator('/nowhere')('bios')).toBeUndefined();
});
