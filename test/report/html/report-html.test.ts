import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { RunResult } from '../../../harness/model/verdict.ts';
import type { CaseRecord, Overview } from '../../../harness/report/html/report-data.ts';
import { reportHtml } from '../../../harness/report/html/report-html.ts';
import { readResults } from '../../../harness/run/records/read-results.ts';
import { runRecords } from '../../../harness/run/records/run-records.ts';
import { folderOfTest } from '../../temporary-folder.ts';

const recorded = fileURLToPath(new URL('../../../fixtures/report/run', import.meta.url));

let runDir: string;
folderOfTest((made) => {
  runDir = made;
  cpSync(recorded, runDir, { recursive: true });
});

const report = (result: RunResult) =>
  reportHtml(result, { place: { command: 'netboot', setDirs: [], outDir: runDir }, records: runRecords(runDir) });

/** A block of data as the page decodes it. */
function block<T>(html: string, id: string): T | undefined {
  const text = new RegExp(`id="${id}">([^<]*)<`).exec(html)?.[1];
  return text === undefined ? undefined : JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString());
}

function parts(html: string, result: RunResult) {
  const overview = block<Overview>(html, 'overview');
  const record = (id: string) => block<CaseRecord>(html, `case-${result.cases.findIndex((one) => one.id === id)}`);
  return { overview: overview as Overview, record };
}

const bios = 'bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled';
const refused = 'shim-ipxe.x86_64.q35.ovmf@bookworm.virtio-net-pci.none.shim-grub.linux.sb-microsoft';

describe('report.html', () => {
  it('holds every case, and the record of each that a guest was started for', async () => {
    const result = readResults(runDir);
    const { overview, record } = parts(await report(result), result);
    expect(overview.cases.map(({ id }) => id)).toEqual(result.cases.map(({ id }) => id));
    for (const { id, verdict } of result.cases) expect(record(id) !== undefined).toBe(verdict.status !== 'not-run');
    expect(record(refused)?.attempts.map(({ status, stages }) => [status, stages.length])).toEqual([
      ['failed', 8],
      ['failed', 8],
    ]);
    expect(
      record(bios)
        ?.attempts[0]?.console.map(([, text]) => text)
        .join(''),
    ).toContain('netboot-ok:');
  });

  it('asks for nothing outside of itself', async () => {
    const html = await report(readResults(runDir));
    expect(html).not.toMatch(/<(link|img|iframe|script)[^>]*\s(src|href)=/);
    expect(html).toContain("default-src 'none'");
  });

  it('stays below 5 MB for 600 cases', async () => {
    const result = readResults(runDir);
    const ran = result.cases.filter(({ verdict }) => verdict.status !== 'not-run');
    const many = Array.from({ length: 600 }, (_, index) => ran[index % ran.length]!);
    const cases = many.map((one, index) => ({ ...one, id: `${one.id}~${index + 2}` }));
    expect((await report({ ...result, cases })).length).toBeLessThan(5_000_000);
    // Six hundred records are read: on a busy host that takes its time, which is not what is asked.
  }, 120_000);

  it('cuts the middle out of a console that has no end', async () => {
    const directory = join(runDir, 'cases', bios);
    const lines = Array.from({ length: 50_000 }, (_, index) => `line ${index}\r\n`).join('');
    writeFileSync(join(directory, 'serial.raw'), lines);
    const result = readResults(runDir);
    const { record } = parts(await report(result), result);
    const attempt = record(bios)!.attempts[0]!;
    const text = attempt.console.map(([, part]) => part).join('');
    expect(text).toMatch(/^line 0\r\n/);
    expect(text).toMatch(/line 49999\r\n$/);
    expect(text.length + attempt.consoleBytesLeftOut).toBe(lines.length);
    expect(text.length).toBe(256 << 10);
  });

  it('cuts the middle out of a log of events that floods, and long texts', async () => {
    const path = join(runDir, 'cases', bios, 'events.jsonl');
    const [first] = readFileSync(path, 'utf8').split('\n');
    const arp = (tMs: number) =>
      JSON.stringify({
        tMs,
        source: 'wire',
        type: 'arp',
        from: 'guest',
        op: 'request',
        senderIp: `${tMs}`,
        targetIp: 'x',
      });
    const stderr = JSON.stringify({ tMs: 9_000, source: 'vm', type: 'stderr', text: 'x'.repeat(100_000) });
    writeFileSync(path, [first, ...Array.from({ length: 9_000 }, (_, index) => arp(index)), stderr, ''].join('\n'));
    const result = readResults(runDir);
    const { record } = parts(await report(result), result);
    const { events, eventsLeftOut } = record(bios)!.attempts[0]!;
    expect(events.length + eventsLeftOut).toBe(9_002);
    expect(events.length).toBe(4_000);
    expect(JSON.stringify(events.at(-1)).length).toBeLessThan(3_000);
  });

  it('says of which cases the records cannot be read, and shows the others', async () => {
    truncateSync(join(runDir, 'cases', bios, 'plan.json'), 100);
    rmSync(join(runDir, 'cases', refused), { recursive: true });
    const result = readResults(runDir);
    const { overview, record } = parts(await report(result), result);
    expect(overview.notes.at(-1)).toMatch(/^no records of 2 cases: .*(plan\.json|serial\.raw)/);
    expect(record(bios)).toBeUndefined();
    expect(overview.cases.find(({ id }) => id === bios)?.hasRecord).toBe(false);
    expect(overview.cases.filter(({ hasRecord }) => hasRecord)).toHaveLength(4);
  });

  it('gives a command line that needs no harness', async () => {
    const result = readResults(runDir);
    const { record } = parts(await report(result), result);
    const words = record(refused)!.plainQemu!.split(' ');
    expect(words.slice(0, 5)).toEqual(['qemu-system-x86_64', '-accel', 'tcg', '-cpu', 'qemu64']);
    expect(words.join(' ')).toContain('-serial mon:stdio');
    expect(words.join(' ')).toContain('-netdev user,id=net0 ');
    expect(words.filter((word) => /fd=|addr\.|hubport|chardev=qmp/.test(word))).toEqual([]);
    expect(words).toContain('virtio-net-pci,netdev=net0,mac=52:54:00:12:34:56,bootindex=0,romfile=');
  });
});
