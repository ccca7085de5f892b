import { expect, it } from 'vitest';
import { bios, cellsOf, runCells } from '../../run/rig.ts';
import { folderOfFile } from '../../temporary-folder.ts';

it('a network that loses the frames of one file by its name delivers the other, and the diagnosis says which was lost', async () => {
  const stop = { stopsAt: 'config', failure: 'ipxe-no-device', reason: 'the script never arrives' };
  const faults = [{ on: 'to-guest', match: { protocol: 'tftp', name: 'boot.ipxe' }, drop: 1 }];
  const group = {
    name: 'lossy',
    ...bios,
    rom: 'bundled',
    secondStage: 'undionly',
    standIn: true,
    configuration: 1,
    faults,
    expect: stop,
  };
  const { cases } = await runCells(folderOfFile(), cellsOf(group));
  expect(cases.map(({ verdict }) => verdict)).toMatchObject([{ status: 'passed', lastStage: 'nbp-dhcp' }]);
  expect(cases[0]?.verdict.diagnosis).toMatch(
    /Injected: fault 1, on purpose: \d+ frames dropped, the first \(tftp oack of boot\.ipxe to the guest\) at \d/,
  );
}, 600_000);
