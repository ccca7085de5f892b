import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout, openWorkplace } from './cli.ts';

const campaign = join(checkout, 'scripts/campaign.mjs');
const bios = { arch: 'x86_64', firmware: 'seabios', nic: 'e1000' };
const noRom = { ...bios, rom: 'none' };
const noBoot = { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'the NIC has no option ROM' };

async function sabotage(groups: object[], ...options: string[]) {
  using place = openWorkplace();
  const matrix = place.write('matrix.json', { name: 'sabotaged', groups });
  const argv = ['sabotage', '--matrix', matrix, '--out', 'out', '--json', ...options];
  const { exitCode, stdout, stderr } = await place.start(campaign, ...argv).finished;
  expect(place.survivors()).toEqual([]);
  return { exitCode, report: stdout === '' ? undefined : JSON.parse(stdout), stderr };
}

test('boots that are broken do not pass, and what broke each is in its record', async () => {
  const kinds = 'file-missing,file-truncated,rom-blank,qemu-killed';
  const groups = [
    { name: 'boots', ...bios },
    { name: 'stops', ...noRom, expect: noBoot },
  ];
  const { exitCode, report } = await sabotage(groups, '--kinds', kinds);
  expect(report).toMatchObject({
    ok: true,
    cells: 2,
    outcomes: { noticed: 2, 'could-not-tell': 3, missed: 0, survived: 0 },
    kinds: {
      'file-missing': { noticed: 1 },
      'file-truncated': { 'could-not-tell': 1 },
      'rom-blank': { noticed: 1 },
      'qemu-killed': { 'could-not-tell': 2 },
    },
  });
  expect(exitCode).toBe(0);
});

test('an expectation that is too wide is found: its cell passes with another boot than its own', async () => {
  const wide = { ...noBoot, stopsAt: 'config', failure: 'ipxe-no-device', reason: 'something with the script' };
  const serve = { 'boot.ipxe': { text: '#!ipxe\nexit 1\n' } };
  const { exitCode, report } = await sabotage(
    [{ name: 'wide', ...bios, serve, expect: wide }],
    '--kinds',
    'file-missing',
  );
  expect(report.survivors).toEqual([
    expect.objectContaining({
      break: 'file-missing-at-config',
      stoppedAt: 'config',
      failure: expect.objectContaining({ rule: 'ipxe-no-device' }),
    }),
  ]);
  expect(exitCode).toBe(1);
});

test('a break that nothing meets is not taken for one that was noticed', async () => {
  const unasked = { ...noBoot, stopsAt: 'config', failure: 'ipxe-no-device', reason: 'another file is named' };
  const boot = [{ name: 'other', file: 'nothing.ipxe' }];
  const { exitCode, report } = await sabotage(
    [{ name: 'unasked', ...bios, boot, expect: unasked }],
    '--kinds',
    'file-missing',
  );
  expect(report).toMatchObject({ ok: false, outcomes: { noticed: 0, missed: 1, survived: 0 } });
  expect(report.untested).toEqual([{ cell: expect.stringMatching(/^unasked\./), kinds: [] }]);
  expect(exitCode).toBe(1);
});

test('what it does not know it refuses', async () => {
  const { exitCode, stderr } = await sabotage([], '--kinds', 'rain');
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^--kinds: expected some of server-dead, .*; got rain$/m);
});
