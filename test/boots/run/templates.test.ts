import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HarnessEvent } from '../../../harness/model/events.ts';
import type { CaseResult } from '../../../harness/model/verdict.ts';
import { readEvents } from '../../../harness/run/records/run-directory.ts';
import type { RunOptions } from '../../../harness/run/run-matrix.ts';
import { cellsOf, runCells } from '../../run/rig.ts';
import { folderOfFile } from '../../temporary-folder.ts';

const folder = folderOfFile();
let count = 0;

/** Cells of one machine each, which differ in how the script comes. */
const transport = ['tftp', { config: 'http', payload: 'http' }];
const machines = {
  'SeaBIOS with an iPXE ROM': { arch: 'x86_64', firmware: 'seabios', nic: 'virtio-net-pci', transport },
  OVMF: { arch: 'x86_64', firmware: 'ovmf', nic: 'virtio-net-pci', rom: 'none', secondStage: 'snponly', transport },
  AAVMF: {
    ...{ arch: 'aarch64', firmware: 'aavmf', nic: 'virtio-net-pci', rom: 'none', secondStage: 'ipxe' },
    ...{ nbpSet: 'forky', transport },
  },
};

interface Ran {
  result: CaseResult;
  events: HarnessEvent[];
}

async function runBoth(group: object, templates: RunOptions['templates'], templatesFolder: string): Promise<Ran[]> {
  const outDir = join(folder, `run-${++count}`);
  const cells = cellsOf({ name: 'one', ...group });
  const { cases } = await runCells(outDir, cells, { templates, templatesFolder, jobs: 2 });
  return cases.map((result) => ({ result, events: readEvents(join(outDir, result.run.directory as string)) }));
}

/**
 * A verdict without its times, and what the guest printed up to its token, which is another for each guest; without iPXE's
 * counters of packets and its dots, one for each moment of waiting.
 */
function told({ result: { verdict }, events }: Ran) {
  const lines = events.flatMap((event) => (event.source === 'serial' && !event.open ? [event.text] : []));
  const end = lines.findIndex((line) => line.startsWith('netboot-ok:'));
  const stages = verdict.stages.map(({ stage, reached }) => ({ stage, reached }));
  const console = lines.slice(0, end).flatMap((line) => (/^\s*\[/.test(line) ? [] : [line.replaceAll(/\.+/g, '…')]));
  return { ...verdict, stages, console };
}

const kinds = ({ events }: Ran): string[] =>
  events.flatMap(({ source, type }) => (source === 'vm' && /^template|^restored/.test(type) ? [type] : []));

const room = { limitBytes: 2 ** 31 };

const dozes = ({ events }: Ran): number => events.filter(({ type }) => type === 'dozed').length;

describe.each(Object.entries(machines))('%s', (_, group) => {
  it('boots from a template as from power-on', async () => {
    const store = mkdtempSync(join(folder, 'store-'));
    const cold = await runBoth(group, undefined, store);
    const warm = await runBoth(group, { ...room, keep: false }, store);
    expect(cold.map(kinds)).toEqual([[], []]);
    expect(warm.flatMap(kinds).sort()).toEqual(['restored', 'template-saved']);
    expect(warm.map(told)).toEqual(cold.map(told));
    expect(warm.every(({ result }) => result.verdict.status === 'passed')).toBe(true);
    // In EDK II's wait for more offers, where its clock allows it; on a busy host it may ask, and wait, again.
    expect([...cold, ...warm].map((ran) => dozes(ran) > 0)).toEqual(Array(4).fill(group.arch === 'aarch64'));
    for (const { events } of warm) {
      const times = events.map(({ tMs }) => tMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
    }
    expect(readdirSync(store)).toEqual([]);
  });
});

it('repeats start from power-on, the first as the others, so that their times compare', async () => {
  const cells = cellsOf({ name: 'one', ...machines['SeaBIOS with an iPXE ROM'], transport: 'tftp' });
  const store = mkdtempSync(join(folder, 'store-'));
  const outDir = join(folder, 'repeats');
  const templates = { ...room, keep: true };
  const { cases } = await runCells(outDir, cells, { templates, templatesFolder: store, jobs: 1, repeat: 2 });
  const events = cases.map(({ run }) => readEvents(join(outDir, run.directory as string)));
  expect(events.flatMap((of, index) => kinds({ events: of, result: cases[index] as CaseResult }))).toEqual([]);
  expect(cases.map(({ verdict }) => verdict.status)).toEqual(['passed', 'passed']);
  expect(readdirSync(store)).toEqual([]);
});

describe('a kept template', () => {
  it.each([['OVMF'], ['AAVMF']] as const)(
    'of %s spares its wait for offers, and no more is seen of it',
    async (name) => {
      const store = mkdtempSync(join(folder, 'store-'));
      const kept = { ...room, keep: true };
      const group = { ...machines[name], transport: 'tftp' };
      const [cold] = await runBoth(group, undefined, store);
      const [first] = await runBoth(group, kept, store);
      const [second] = await runBoth(group, kept, store);
      // Other content under the same names, which the guest has not asked for yet.
      const [other] = await runBoth({ ...group, transport: { config: 'http', payload: 'http' } }, kept, store);
      const all = [cold, first, second, other] as Ran[];
      expect(all.map(kinds)).toEqual([[], ['template-saved'], ['restored'], ['restored']]);
      expect(readdirSync(store)).toHaveLength(1);
      expect(all.map(({ result }) => result.verdict.status)).toEqual(Array(4).fill('passed'));
      expect([first, second].map((one) => told(one as Ran))).toEqual([cold, cold].map((one) => told(one as Ran)));
      const [restored] = (second as Ran).events.filter(({ type }) => type === 'restored');
      const [offer] = (second as Ran).events.filter((event) => event.type === 'dhcp' && event.messageType === 'offer');
      expect(restored?.type === 'restored' && restored.atMs).toBeGreaterThan((offer?.tMs ?? 0) + 3_000);
    },
  );

  it('is not used where the network answers otherwise', async () => {
    const store = mkdtempSync(join(folder, 'store-'));
    const kept = { ...room, keep: true };
    const group = { ...machines.OVMF, transport: 'tftp' };
    await runBoth(group, kept, store);
    const [id] = readdirSync(store);
    const path = join(store, id as string, 'start.json');
    const record = JSON.parse(readFileSync(path, 'utf8'));
    const last = record.seen.findLast(({ on }: { on: string }) => on === 'answer');
    last.bytes = Buffer.from('another answer').toString('base64');
    writeFileSync(path, JSON.stringify(record));
    const [again] = await runBoth(group, kept, store);
    expect(again && kinds(again)).toEqual([]);
    expect(again?.result.verdict.status).toBe('passed');
    expect(again?.result.run.attempts).toHaveLength(1);
    expect(readdirSync(store)).toEqual([]);
  });

  it('that QEMU refuses costs nothing but time', async () => {
    const store = mkdtempSync(join(folder, 'store-'));
    const kept = { ...room, keep: true };
    await runBoth({ ...machines['SeaBIOS with an iPXE ROM'], transport: 'tftp' }, kept, store);
    const [id] = readdirSync(store);
    const devices = join(store, id as string, 'devices');
    const record = join(store, id as string, 'start.json');
    const { lengths, ...rest } = JSON.parse(readFileSync(record, 'utf8'));
    writeFileSync(devices, 'no migration stream');
    writeFileSync(record, JSON.stringify({ ...rest, lengths: { ...lengths, devices: 19 } }));
    const [again] = await runBoth({ ...machines['SeaBIOS with an iPXE ROM'], transport: 'tftp' }, kept, store);
    expect(again && kinds(again)).toEqual(['template-refused']);
    expect(again?.result.verdict.status).toBe('passed');
    expect(again?.result.run.attempts).toHaveLength(1);
  });

  it('is none for a NIC whose state QEMU cannot save, and its cases boot all the same', async () => {
    const store = mkdtempSync(join(folder, 'store-'));
    const group = {
      arch: 'x86_64',
      firmware: 'seabios',
      nic: 'usb-net',
      rom: 'none',
      expect: { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'no ROM' },
    };
    const [only] = await runBoth(group, { ...room, keep: true }, store);
    expect(only?.result.verdict.status).toBe('passed');
    expect(readdirSync(store)).toEqual([]);
  });
});
