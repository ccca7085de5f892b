import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import { readEvents, readPlan } from '../../harness/run/records/run-directory.ts';
import { bios, cellsOf, runCells } from '../run/rig.ts';
import { folderOfFile } from '../temporary-folder.ts';

const folder = folderOfFile();

const fromDisk = { name: 'from disk', payload: 'disk' } as const;

async function run(name: string, boots: object[]) {
  const outDir = join(folder, name);
  const { cases } = await runCells(outDir, cellsOf({ name, ...bios, boots }));
  const [result] = cases;
  if (result?.run.directory == null) throw new Error(result?.verdict.diagnosis ?? 'no case');
  const directory = join(outDir, result.run.directory);
  return { result, directory, events: readEvents(directory) };
}

const cycles = (events: ReturnType<typeof readEvents>) => events.filter(({ type }) => type === 'power-cycled');

describe('a machine that is switched off and on', () => {
  it('boots from the network, then from its disk: one case, one log, judged again from it', async () => {
    const { result, directory, events } = await run('passes', [{ name: 'install' }, fromDisk]);
    expect(result.verdict).toMatchObject({
      ...{ status: 'passed', lastStage: 'disk', findings: [] },
      boots: [
        { name: 'install', status: 'passed', lastStage: 'config' },
        { name: 'from disk', status: 'passed', lastStage: 'disk' },
      ],
    });
    expect(cycles(events)).toMatchObject([{ boot: 2, name: 'from disk' }]);
    expect(events.filter(({ type }) => type === 'spawned')).toHaveLength(2);
    expect(judge(readPlan(directory), events)).toEqual(result.verdict);
    expect(existsSync(join(directory, 'disk.img'))).toBe(false);
  });

  it('that is given a script again does not pass for one that boots from its disk', async () => {
    const text = '#!ipxe\necho netboot-ok:{{nonce}}\nsleep 60\n';
    const { result } = await run('script-again', [
      { name: 'install' },
      {
        ...fromDisk,
        serve: { 'boot.ipxe': { text } },
        deadlines: { stageMs: { disk: 5_000 } },
      },
    ]);
    expect(result.verdict).toMatchObject({ status: 'failed', stoppedAt: 'disk' });
    expect(result.verdict.diagnosis).toMatch(/^Boot 2 of 2 \(from disk\): Stopped at disk/);
  });

  it('is not switched on again after a boot that failed', async () => {
    const failing = { name: 'install', serve: { 'boot.ipxe': { text: '#!ipxe\nexit\n' } } };
    const { result, events } = await run('fails', [failing, fromDisk]);
    expect(result.verdict).toMatchObject({ status: 'failed', boots: [{ name: 'install', status: 'failed' }] });
    expect(cycles(events)).toEqual([]);
  });
});
