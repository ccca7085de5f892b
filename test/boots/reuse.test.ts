import { copyFileSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { compile, compiled, openWorkplace } from './cli.ts';

beforeAll(compile, 120_000);

/** Right for one of the two cells: what came out otherwise is reused as well. */
const expectation = { stopsAt: 'dhcp', failure: 'seabios-no-boot', reason: 'no ROM' };

it('records stand for boots where nothing has changed, and a changed byte boots again', async () => {
  using place = openWorkplace();
  const rom = join(place.folder, 'own.rom');
  copyFileSync('/usr/lib/ipxe/qemu/pxe-e1000.rom', rom);
  const group = { name: 'g', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', expect: expectation };
  const file = place.write('m.json', { name: 'm', groups: [{ ...group, rom: ['none', { file: rom }] }] });
  const run = async (out: string, ...more: string[]) => {
    const argv = ['run', '--matrix', file, '--accel', 'tcg', '--out', out, ...more];
    const { stdout } = await place.start(join(compiled, 'cli/main.js'), ...argv).finished;
    const { cases, guestCpuMs } = runResultSchema.parse(
      JSON.parse(readFileSync(join(place.folder, out, 'results.json'), 'utf8')),
    );
    return { stdout, reused: cases.map(({ run: { reusedFrom } }) => reusedFrom !== undefined), guestCpuMs };
  };

  expect((await run('first')).reused).toEqual([false, false]);
  const again = await run('again', '--reuse', 'first');
  expect(again.reused).toEqual([true, true]);
  expect(again.guestCpuMs).toBe(0);
  expect(again.stdout).toContain('longest boot 0.0 s');
  expect(again.stdout).toContain('note: 2 of 2 cases were not booted: their records are those of');
  const events = (out: string) =>
    readFileSync(join(place.folder, out, 'cases/g.x86_64.pc.seabios.e1000.none/events.jsonl'));
  expect(events('again').equals(events('first'))).toBe(true);

  // Behind the last image of the ROM, where it changes nothing but the file.
  writeSync(openSync(rom, 'a'), Buffer.alloc(512));
  expect((await run('changed', '--reuse', 'first')).reused).toEqual([true, false]);
});
