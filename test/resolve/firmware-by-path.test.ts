import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { FirmwareFiles, Scenario } from '../../harness/model/scenario.ts';
import { resolveScenario } from '../../harness/resolve/resolve.ts';
import { craftBios, craftFirmware, craftVariables } from '../assets/crafted-files.ts';
import { scenario } from '../plan/found-scenario.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { bareSources } from './bare-sources.ts';

const mebibyte = 2 ** 20;
const uefi = craftFirmware().bytes;
const files = {
  'bios.bin': craftBios().bytes,
  'code.fd': uefi,
  'vars.fd': craftVariables().bytes,
  'arm.fd': craftFirmware({ machine: 0xaa64 }).bytes,
  'huge-arm.fd': Buffer.concat([craftFirmware({ machine: 0xaa64 }).bytes, Buffer.alloc(64 * mebibyte)]),
  'flash.qcow2': Buffer.from('514649fb00000003', 'hex'),
  'odd.bin': Buffer.alloc(4096, 0x5a),
};

const folder = folderOfFile();
beforeAll(async () => {
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
});

async function resolve(over: Partial<Scenario>) {
  const firmware = over.firmware as FirmwareFiles;
  const at = (name: string | undefined) =>
    name === undefined ? {} : { [name === firmware.code ? 'code' : 'vars']: join(folder, name) };
  const named = { ...firmware, ...at(firmware.code), ...at(firmware.vars) };
  return resolveScenario(
    scenario({ secondStage: 'none', payload: 'script', ...over, firmware: named as FirmwareFiles }),
    await bareSources(folder),
  );
}

describe('firmware by path', () => {
  test('a legacy BIOS is loaded as BIOS', async () => {
    expect(await resolve({ firmware: { code: 'bios.bin' } })).toMatchObject({
      firmware: { interface: 'bios', flat: true, vars: null, wantsRandomSource: false },
      inputs: [{ role: 'firmware-code', identity: expect.stringContaining('SeaBIOS') }],
    });
  });

  test.each([
    ['code and variables apart', { code: 'code.fd', vars: 'vars.fd' }],
    ['in one image', { code: 'code.fd' }],
    ['in a format that cannot be looked into', { code: 'flash.qcow2' }],
  ])('UEFI, %s, is flash', async (_, firmware) => {
    expect(await resolve({ firmware })).toMatchObject({ firmware: { interface: 'uefi', flat: false } });
  });

  test('what the file does not say, the matrix can', async () => {
    expect(await resolve({ firmware: { code: 'odd.bin', interface: 'bios' } })).toMatchObject({
      firmware: { interface: 'bios', flat: true },
    });
    expect(await resolve({ firmware: { code: 'bios.bin', interface: 'uefi' } })).toMatchObject({
      firmware: { interface: 'uefi', flat: false },
    });
  });

  test("images smaller than an Arm machine's flash are filled up, and recorded as they were given", async () => {
    const found = await resolve({
      arch: 'aarch64',
      machine: 'virt',
      firmware: { code: 'arm.fd', vars: 'vars.fd' },
    });
    if ('missing' in found) throw new Error(found.missing);
    const { code, vars } = found.firmware as { code: string; vars: string };
    for (const [image, name] of [
      [code, 'arm.fd'],
      [vars, 'vars.fd'],
    ] as const) {
      const filled = await readFile(image);
      const given = files[name as keyof typeof files];
      expect(filled.length).toBe(64 * mebibyte);
      expect(filled.subarray(0, given.length).equals(given)).toBe(true);
      expect(filled.subarray(given.length).every((byte) => byte === 0)).toBe(true);
      // On disk there is no more than was given.
      expect((await stat(image)).blocks * 512).toBeLessThan(mebibyte);
    }
    expect(found.inputs.map(({ path }) => path)).toEqual([join(folder, 'arm.fd'), join(folder, 'vars.fd')]);
  });

  test.each<[string, Partial<Scenario>, RegExp]>([
    ['that is neither', { firmware: { code: 'odd.bin' } }, /odd\.bin: it has neither .*"interface": "bios" or "uefi"/],
    ['that is variables alone', { firmware: { code: 'vars.fd' } }, /vars\.fd: it has variables but no code/],
    ['a BIOS with variables', { firmware: { code: 'bios.bin', vars: 'vars.fd' } }, /has no variable store/],
    [
      'a BIOS on Arm',
      { arch: 'aarch64', machine: 'virt', firmware: { code: 'bios.bin' } },
      /does not exist on aarch64/,
    ],
    ['a BIOS with Secure Boot', { secureBoot: 'microsoft', firmware: { code: 'bios.bin' } }, /no Secure Boot/],
    ['for another machine', { firmware: { code: 'arm.fd' } }, /built for AA64, but the machine is x86_64/],
    [
      "larger than an Arm machine's flash",
      { arch: 'aarch64', machine: 'virt', firmware: { code: 'huge-arm.fd' } },
      /huge-arm\.fd has \d+ bytes, and the machine's flash holds 67108864/,
    ],
  ])('firmware %s costs its cell, with the reason', async (_, over, reason) => {
    expect(await resolve(over)).toEqual({ missing: expect.stringMatching(reason) });
  });
});
