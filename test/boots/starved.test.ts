import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { readEvents } from '../../harness/run/records/run-directory.ts';
import { compile, compiled, openWorkplace, until } from './cli.ts';

beforeAll(compile, 120_000);

/** iPXE asks after 1, 2, 4 and 8 s again, and then gives up (DHCP_DISC_END_TIMEOUT_SEC in its config/dhcp.h). */
const pastItsPatienceMs = 18_000;

it('a guest that gave up because the harness was stopped has not failed: it is asked again', async () => {
  using place = openWorkplace();
  const group = { name: 'starved', arch: 'x86_64', firmware: 'seabios', nic: 'e1000' };
  const matrix = place.write('matrix.json', { name: 'starved', groups: [group] });
  const options = ['--matrix', matrix, '--out', 'out', '--accel', 'tcg', '--cold'];
  const run = place.start(join(compiled, 'cli/main.js'), 'run', ...options);
  const directory = join(place.folder, 'out/cases/starved.x86_64.pc.seabios.e1000.bundled');
  await until('the option ROM', () => {
    const begun = existsSync(join(directory, 'events.jsonl')) ? readEvents(directory) : [];
    return begun.some((event) => event.source === 'serial' && event.text.startsWith('iPXE'));
  });
  run.kill('SIGSTOP');
  await pause(pastItsPatienceMs);
  run.kill('SIGCONT');

  const { exitCode, stdout } = await run.finished;
  expect(stdout).toContain('1 passed');
  expect(exitCode).toBe(0);
  const { cases } = runResultSchema.parse(JSON.parse(readFileSync(join(place.folder, 'out/results.json'), 'utf8')));
  // Its one attempt took two guests: the first gave up long after the whole boot takes.
  expect(cases[0]).toMatchObject({ verdict: { status: 'passed' }, run: { attempts: [{ status: 'passed' }] } });
  expect(cases[0]?.run.durationMs).toBeGreaterThan(pastItsPatienceMs);
}, 120_000);
