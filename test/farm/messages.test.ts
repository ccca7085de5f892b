import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createFingerprints } from '../../harness/assets/fingerprint.ts';
import { type Carried, carry } from '../../harness/farm/carried.ts';
import { type Cell, cellResultSchema, cellSchema } from '../../harness/farm/messages.ts';
import { pathsOf } from '../../harness/farm/paths.ts';
import { type PlaceOptions, placeCell, Refused } from '../../harness/farm/place-cell.ts';
import { BadMessage, openSealing } from '../../harness/farm/seal.ts';
import type { Resolved } from '../../harness/model/resolved.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { makePlan } from '../../harness/plan/plan.ts';
import type { FoundCase } from '../../harness/run/found-case.ts';
import { resolved, scenario } from '../plan/found-scenario.ts';
import { folderOfTest } from '../temporary-folder.ts';

const sealing = openSealing(Buffer.alloc(32, 1));
const fingerprints = createFingerprints();
let folder = '';
folderOfTest((made) => {
  folder = made;
});

function fileIn(name: string, content = name): { path: string; bytes: number } {
  const path = join(folder, name);
  writeFileSync(path, content);
  return { path, bytes: content.length };
}

const prediction = { firmwareDriver: null, romImage: null, configuration: null, stopsAt: null, reasons: [], facts: [] };

/** A BIOS cell whose NBP is a file here, and what `over` changes. */
function foundCase(over: Partial<Scenario> = {}, parts: Partial<Resolved> = {}): FoundCase {
  const nbp = fileIn('undionly,1.kpxe');
  const cell = scenario({ firmware: 'seabios', secondStage: 'undionly', ...over });
  return {
    scenario: cell,
    prediction,
    resolved: {
      ...resolved({ companions: {}, kernel: undefined, initrd: undefined }),
      loader: 'undionly',
      transports: { nbp: 'tftp', config: 'tftp', payload: 'tftp' },
      firmware: {
        interface: 'bios',
        code: null,
        vars: null,
        format: 'raw',
        smm: false,
        flat: true,
        wantsRandomSource: false,
      },
      oprom: { kind: 'none' },
      nbp: { ...nbp, name: 'undionly.kpxe' },
      inputs: [{ role: 'nbp', path: nbp.path, sha256: 'a'.repeat(64), bytes: nbp.bytes }],
      ...parts,
    },
  };
}

async function carriedOf(found: FoundCase): Promise<Carried> {
  const carried = await carry(found, { fingerprints });
  if ('obstacle' in carried) throw new Error(carried.obstacle);
  return carried.carried;
}

const cellOf = (carried: Carried): Cell => ({
  ...{
    run: '0123456789abcdef',
    id: carried.scenario.id,
    round: 1,
    accel: 'tcg',
    carried,
    files: [],
    sharesStart: false,
  },
  notAfter: Date.now() + 60_000,
});

/** A worker that keeps files under their content's name, and has no programs. */
const placing = (over: Partial<PlaceOptions> = {}): PlaceOptions => ({
  sets: {
    program: async () => ({ missing: 'no programs here' }),
    command: async () => ({ missing: 'no commands here' }),
    ofQemu: async () => [],
  },
  fingerprints,
  trust: false,
  fileOf: async (sha256) => `/worker/${sha256}`,
  ...over,
});

describe('a case that is sent', () => {
  it('names no path of the submitter, and is the same plan with the paths of the worker', async () => {
    const served = fileIn('notes.txt');
    const found = foundCase({ serve: { 'notes.txt': { path: served.path } } });
    const carried = await carriedOf(found);
    expect(JSON.stringify(carried)).not.toContain(folder);
    const opened = sealing.open('cell', sealing.seal('cell', cellOf(carried)), cellSchema);
    const placed = await placeCell(opened.carried, placing());
    const [ours, theirs] = [pathsOf(found), pathsOf(placed)];
    expect(theirs).toHaveLength(ours.length);
    const swapped = ours.reduce(
      (text, path, nth) => text.replaceAll(path, theirs[nth]!),
      JSON.stringify(makePlan({ ...found, nonce: 'c0ffee' })),
    );
    expect(JSON.parse(JSON.stringify(makePlan({ ...placed, nonce: 'c0ffee' })))).toEqual(JSON.parse(swapped));
  });

  it('is not sent where it serves a folder, or runs a QEMU by path', async () => {
    expect(await carry(foundCase({ serve: { tree: { path: folder } } }), { fingerprints })).toMatchObject({
      obstacle: expect.stringContaining('only files are sent'),
    });
    expect(await carry(foundCase({ qemu: { file: '/opt/qemu' } }), { fingerprints })).toMatchObject({
      obstacle: expect.stringContaining('/opt/qemu: a QEMU by path'),
    });
  });
});

describe('what a worker refuses', () => {
  const placed = async (change: (carried: Carried) => Carried, over: Partial<PlaceOptions> = {}) =>
    placeCell(change(await carriedOf(foundCase())), placing(over));

  it('refuses a path of its own disk wherever a scenario may name a file', async () => {
    const secret = '/etc/shadow';
    const ways: Partial<Scenario>[] = [
      { serve: { f: { path: secret } } },
      { firmware: { code: secret } },
      { rom: { file: secret } },
      { secondStage: { file: secret } },
      { kernel: { file: secret } },
      { initrd: { file: secret } },
      { qemu: { file: secret } },
    ];
    for (const way of ways) {
      const attempt = placed((carried) => ({ ...carried, scenario: { ...carried.scenario, ...way } as Scenario }), {
        trust: true,
      });
      await expect(attempt, JSON.stringify(way)).rejects.toThrow(Refused);
    }
  });

  it('takes no path in what was found for the scenario', async () => {
    const carried = await carriedOf(foundCase());
    const { resolved: found } = carried;
    const file = { path: '/etc/shadow', bytes: 1 };
    const ways: Partial<Record<keyof typeof found, unknown>>[] = [
      { nbp: { ...file, name: 'x' } },
      { kernel: file },
      { companions: { x: file } },
      { served: { x: file } },
      { oprom: { kind: 'file', path: '/etc/shadow' } },
      { san: { disk: file, nonce: { offsets: [0], bytes: 1 } } },
      { firmware: { ...found.firmware, code: '/etc/shadow' } },
      { provisioner: [{ '../x': { text: '' } }] },
      { inputs: [{ ...found.inputs[0], path: '/etc/shadow' }] },
    ];
    for (const way of ways) {
      const cell = { ...cellOf(carried), carried: { ...carried, resolved: { ...found, ...way } } };
      expect(() => sealing.open('cell', sealing.seal('cell', cell), cellSchema), JSON.stringify(way)).toThrow(
        BadMessage,
      );
    }
  });

  it('runs QEMU arguments and programs only with --trust', async () => {
    const args = (carried: Carried): Carried => ({
      ...carried,
      scenario: { ...carried.scenario, qemuArgs: ['-drive', 'file=/etc/shadow'] },
    });
    await expect(placed(args)).rejects.toThrow('qemuArgs reaches beyond the guest, which needs --trust on the worker');
    await expect(placed(args, { trust: true })).resolves.toBeDefined();
    const programs =
      (command: string) =>
      (carried: Carried): Carried => ({
        ...carried,
        scenario: { ...carried.scenario, provisioner: { command: [command], serves: ['tftp'] } },
        resolved: { ...carried.resolved, provisioner: [{}] },
      });
    await expect(placed(programs('dnsmasq'))).rejects.toThrow('needs --trust');
    await expect(placed(programs('/bin/sh'), { trust: true })).rejects.toThrow('a program by path');
  });

  it('refuses to run with a ROM of its own that has another content', async () => {
    const rom = fileIn('efi-e1000.rom');
    const input = {
      role: 'oprom' as const,
      path: rom.path,
      sha256: (await fingerprints.of(rom.path)).sha256,
      bytes: rom.bytes,
    };
    const carried = await carriedOf(foundCase({}, { oprom: { kind: 'bundled' }, inputs: [input] }));
    const having = (path: string) => placing({ sets: { ...placing().sets, ofQemu: async () => [path] } });
    await expect(placeCell(carried, having(fileIn('other.rom').path))).rejects.toThrow(
      'its oprom is not among the files',
    );
    const { path } = fileIn('same.rom', 'efi-e1000.rom');
    expect((await placeCell(carried, having(path))).resolved.inputs).toEqual([{ ...input, path }]);
  });
});

describe('a sealed message', () => {
  it('opens only with its key, as what it was sealed', () => {
    const text = sealing.seal('drain', 'one');
    const schema = cellResultSchema.shape.worker;
    expect(sealing.open('drain', text, schema)).toBe('one');
    expect(() => sealing.open('run', text, schema)).toThrow('it is signed with another key');
    expect(() => openSealing(Buffer.alloc(32, 2)).open('drain', text, schema)).toThrow('it is signed with another key');
    expect(() => sealing.open('drain', openSealing(undefined).seal('drain', 'one'), schema)).toThrow(
      'it is not signed',
    );
  });

  it('is refused as a bad message whatever was done to it', async () => {
    const cell = cellOf(await carriedOf(foundCase()));
    const text = sealing.seal('cell', cell);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 4 }), fc.nat(8), (at, put, cut) => {
        const changed = text.slice(0, at) + put + text.slice(at + cut);
        try {
          // Blanks between its fields change nothing.
          expect(sealing.open('cell', changed, cellSchema)).toEqual(JSON.parse(JSON.stringify(cell)));
        } catch (error) {
          if (!(error instanceof BadMessage)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('whose signature is right is still parsed, and run only if nothing in it is another machine', async () => {
    const cell = JSON.parse(JSON.stringify(cellOf(await carriedOf(foundCase())))) as Cell;
    const leaves: (string | number)[][] = [];
    const walk = (value: unknown, path: (string | number)[]): void => {
      if (typeof value !== 'object' || value === null) leaves.push(path);
      else for (const [key, item] of Object.entries(value)) walk(item, [...path, key]);
    };
    walk(cell, []);
    const hostile = fc.oneof(
      fc.constantFrom(
        '../../etc/passwd',
        '/etc/passwd',
        '',
        '\0',
        'farm-file:',
        `farm-file:${'f'.repeat(64)}`,
        '-drive file=/x',
      ),
      fc.jsonValue(),
      fc.integer(),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...leaves), hostile, async (path, value) => {
        const changed = structuredClone(cell) as unknown as Record<string | number, unknown>;
        let at = changed;
        for (const key of path.slice(0, -1)) at = at[key] as typeof changed;
        at[path.at(-1)!] = value;
        try {
          const opened = sealing.open('cell', sealing.seal('cell', changed), cellSchema);
          const placed = await placeCell(opened.carried, placing());
          const files = pathsOf(placed).filter((one) => one !== placed.resolved.qemu.program);
          // Every file is one of the worker's cache.
          expect(files.filter((one) => !one.startsWith('/worker/'))).toEqual([]);
        } catch (error) {
          if (!(error instanceof BadMessage || error instanceof Refused)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});
