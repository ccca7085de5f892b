import { describe, expect, it } from 'vitest';
import { configurationsMarkdown } from '../../harness/report/configurations.ts';
import { closingLines } from '../../harness/report/console-output.ts';
import { reproCommand } from '../../harness/report/run-facts.ts';
import { summaryMarkdown } from '../../harness/report/summary.ts';
import { failedCase, invocation, notRunCase, sampleCase, sampleRun, stoppedCase } from './sample-run.ts';

const run = sampleRun([sampleCase(), stoppedCase, failedCase, notRunCase], { notes: ['package ipxe moved'] });

it('summary.md has the grid, then failures with diagnosis and command, then what was not run', () => {
  const summary = summaryMarkdown(run, invocation);
  expect(summary).toContain('**4 cases: 2 passed, 1 failed, 1 not run**');
  expect(summary).toContain('| NIC | ROM | aarch64<br>aavmf | x86_64<br>ovmf | x86_64<br>seabios |');
  expect(summary).toContain('| `e1000` | bundled |  |  | ✅ |');
  expect(summary).toContain('| `e1000` | none |  | 🛑 |  |');
  expect(summary).toContain('| `pcnet` | bundled |  |  | ❌ |');
  expect(summary).toContain('- diagnosis: no DHCP; the last thing seen was "No bootable device."');
  expect(summary).toContain('`netboot repro /out/cases/bios.x86_64.pc.seabios.pcnet.bundled`');
  expect(summary).toContain('1 × no such ROM in set host');
  expect(summary).toContain('- package ipxe moved');
  const order = ['| NIC |', '## Not as expected', '## Not run', '## Notes'].map((text) => summary.indexOf(text));
  expect(order).toEqual([...order].sort((a, b) => a - b));
});

it('counts cases that share a cell of the grid', () => {
  const summary = summaryMarkdown(
    sampleRun([
      sampleCase({ id: 'a' }),
      sampleCase({ id: 'b', scenario: { machine: 'q35' } }),
      sampleCase({ id: 'c', verdict: { status: 'failed' } }),
    ]),
    invocation,
  );
  expect(summary).toContain('| `e1000` | bundled | ✅ 2 ❌ 1 |');
});

it('shows artefact sets as columns of their own', () => {
  const summary = summaryMarkdown(
    sampleRun([sampleCase(), sampleCase({ id: 'b', scenario: { set: 'forky' } })]),
    invocation,
  );
  expect(summary).toContain('| NIC | ROM | x86_64<br>seabios | x86_64<br>seabios<br>forky |');
});

it('tells wall time against guest CPU time per core, and the longest boot', () => {
  expect(closingLines(run, invocation, false)).toContain(
    'wall 12.0 s · guests 16.0 s CPU ÷ 2 cores = 8.0 s · ratio 1.50 · longest boot 5.8 s · harness 0.7 s CPU',
  );
});

it('ends with trouble, what was not run, totals, and where the results are', () => {
  const lines = closingLines(run, invocation, false);
  expect(lines).toContain('failed      bios.x86_64.pc.seabios.pcnet.bundled');
  expect(lines).toContain('1 not run, which fails the run unless --allow-not-run is given:');
  expect(lines).toContain('  1 × no such ROM in set host');
  expect(lines.at(-1)).toBe('results: /out/report.html, summary.md, results.json, junit.xml, configurations.md');
});

it('counts apart what waits for a set of the user, in the last lines and in the summary', () => {
  const waiting = sampleCase({
    id: 'own.x86_64.pc.seabios.tulip.full',
    verdict: { status: 'waiting', diagnosis: 'It waits for a ROM for tulip, which only a set of yours can have.' },
    run: { directory: null, attempts: [], durationMs: 0 },
  });
  const some = sampleRun([sampleCase(), waiting]);
  const lines = closingLines(some, invocation, false);
  expect(lines).toContain('2 cases: 1 passed, 1 waiting');
  expect(lines).toContain('1 waiting for a set of yours; summary.md says what for');
  expect(lines.filter((line) => line.includes('not run'))).toEqual([]);
  expect(summaryMarkdown(some, invocation)).toMatch(
    /## Waiting for a set of yours\n\n<details><summary>1 × It waits for a ROM for tulip/,
  );
});

it('configurations.md has a section for each configuration, with evidence in a line', () => {
  const text = configurationsMarkdown(run);
  expect(text.match(/^## \d: /gm)).toHaveLength(6);
  expect(text).toContain(
    '| x86_64 | `e1000` on pc | seabios | bundled | – | ✅ passed | config | 5.8 s | token: netboot-ok:0123 |',
  );
  expect(text).toContain('🛑 passed | firmware | 5.8 s | UEFI shell reached without a network boot option |');
  expect(text).toMatch(/## 1: .*\n\nNo case in this run\./);
});

it('configurations.md begins with a grid in which NICs that did the same share a row', () => {
  const on = (nic: string, status: 'passed' | 'failed' = 'passed') =>
    sampleCase({ id: nic, scenario: { nic, configuration: 2 }, verdict: { status } });
  const text = configurationsMarkdown(sampleRun([on('rtl8139'), on('e1000'), on('pcnet', 'failed'), on('e1000')]));
  expect(text.slice(text.indexOf('| NIC'), text.indexOf('## 1')).split('\n')).toEqual([
    '| NIC | x86_64<br>2 |',
    '| --- | --- |',
    '| `e1000` | ✅ 2 |',
    '| `pcnet` | ❌ |',
    '| `rtl8139` | ✅ |',
    '',
    '✅ booted, as expected · ❌ not as expected',
    '',
    '',
  ]);
  const same = configurationsMarkdown(sampleRun([on('rtl8139'), on('e1000')]));
  expect(same).toContain('| `e1000`, `rtl8139` | ✅ |');
});

it('says where the observed configuration is not the declared one', () => {
  const text = configurationsMarkdown(
    sampleRun([sampleCase({ scenario: { configuration: 5 }, verdict: { observedConfiguration: 4 } })]),
  );
  expect(text).toContain('| observed as 4; token: netboot-ok:0123 |');
});

it("keeps a guest's text from breaking tables, HTML or the terminal", () => {
  const hostile = 'a | b\n| <img src=x> `c` \u001b[2J\u202e';
  const cell = sampleCase({
    verdict: {
      status: 'failed',
      stoppedAt: 'dhcp',
      diagnosis: hostile,
      failure: { rule: 'ipxe-error', atMs: 1, text: hostile },
    },
  });
  const result = sampleRun([cell], { notes: [hostile] });
  for (const text of [
    summaryMarkdown(result, invocation),
    configurationsMarkdown(result),
    closingLines(result, invocation, false).join('\n'),
  ]) {
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\u202e');
  }
  for (const text of [summaryMarkdown(result, invocation), configurationsMarkdown(result)]) {
    expect(text).not.toContain('<img');
    expect(text).toContain('a \\| b');
  }
});

it('has something to say of an empty run', () => {
  const empty = sampleRun([], { guestCpuMs: 0 });
  expect(summaryMarkdown(empty, invocation)).toContain('**0 cases**');
  expect(closingLines(empty, invocation, false).join('\n')).not.toMatch(/NaN|Infinity/);
});

describe('the command that runs a case again', () => {
  const place = { ...invocation, outDir: '/home/me/my runs/1' };
  const cell = sampleCase();

  it('names its directory, as short as it can be from where it is typed', () => {
    expect(reproCommand(cell, place)).toBe(`netboot repro '/home/me/my runs/1/cases/${cell.id}'`);
    expect(reproCommand(cell, { ...place, cwd: '/home/me' })).toBe(`netboot repro 'my runs/1/cases/${cell.id}'`);
    expect(reproCommand(cell, { ...place, cwd: '/home/other' })).toContain("'/home/me/my runs/1");
  });

  it('says again how the program is started, and which sets it had', () => {
    const started = {
      ...place,
      cwd: '/home/me',
      command: 'npm run -s netboot --',
      setDirs: ['/home/me/build', '/x y'],
    };
    expect(reproCommand(cell, started)).toBe(
      `npm run -s netboot -- repro 'my runs/1/cases/${cell.id}' --set build --set '/x y'`,
    );
  });

  it('has the trust in it that the run had', () => {
    const odd = sampleCase({ scenario: { qemuArgs: ['-S'] } });
    expect(reproCommand(odd, place)).toMatch(/^netboot repro .* --trust$/);
  });

  it('resumes the run where the case was not started', () => {
    expect(reproCommand(notRunCase, place)).toBe("netboot run --resume '/home/me/my runs/1'");
  });
});
