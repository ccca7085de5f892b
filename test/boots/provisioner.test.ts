import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { recordBounds } from '../../harness/model/bounds.ts';
import { runResultSchema } from '../../harness/model/verdict.ts';
import { readEvents } from '../../harness/run/records/run-directory.ts';
import { bios, cellsOf, frozen, runCells } from '../run/rig.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { compile, compiled, openWorkplace, until } from './cli.ts';
import { dnsmasqWith, programsLeftIn } from './dnsmasq.ts';

const folder = folderOfFile();
beforeAll(compile, 120_000);

const dnsmasq = dnsmasqWith();
const shell = (script: string, more: object = {}) => ({ command: ['sh', '-c', script], ...more });

const left = () => programsLeftIn(folder);

async function resultOf(name: string, provisioner: unknown, cell: object = frozen) {
  const outDir = join(folder, name);
  const { cases } = await runCells(outDir, cellsOf({ name, ...cell, provisioner }));
  const [result] = cases;
  if (result?.run.directory == null) throw new Error(result?.verdict.diagnosis ?? 'no case');
  return { result, directory: join(outDir, result.run.directory) };
}

describe('a server of the user’s', () => {
  it('leads a guest to its token, and leaves its log and nothing running', async () => {
    const { result, directory } = await resultOf('token', dnsmasq, bios);
    expect(result.verdict).toMatchObject({ status: 'passed', lastStage: 'config', findings: [] });
    expect(readFileSync(join(directory, 'provisioner/dnsmasq.log'), 'utf8')).toMatch(/sent .*boot\.ipxe to 10\.0\.2\./);
    const events = readEvents(directory);
    // The harness has no DHCP or TFTP of its own here.
    expect(events.some(({ source }) => source === 'dhcp' || source === 'tftp')).toBe(false);
    const acked = events.find((event) => event.type === 'dhcp' && event.messageType === 'ack');
    expect(acked).toMatchObject({ serverId: '10.0.2.3' });
    const at = (type: string) => events.find((event) => event.source === 'provisioner' && event.type === type)?.tMs;
    expect(at('ready')).toBeLessThan(events.find(({ type }) => type === 'spawned')?.tMs as number);
    expect(await left()).toBe('');
  });

  it('meets the faults of the network, as any server does', async () => {
    const faults = [
      { on: 'from-guest', match: { protocol: 'dhcp', message: 'discover' }, drop: { first: 1 } },
      { on: 'to-guest', match: { protocol: 'tftp', message: 'data' }, drop: { first: 1 } },
    ];
    const { result, directory } = await resultOf('faults', dnsmasq, { ...bios, faults });
    expect(result.verdict).toMatchObject({ status: 'passed', lastStage: 'config' });
    const events = readEvents(directory);
    const met = events.filter((event) => event.source === 'wire' && event.type === 'fault');
    expect(met).toMatchObject([
      { fault: 0, action: 'drop', direction: 'from-guest', what: 'dhcp discover' },
      { fault: 1, action: 'drop', direction: 'to-guest', what: 'tftp data' },
    ]);
    expect(await left()).toBe('');
  });

  it('serves every boot of a machine without being started again', async () => {
    const boots = [{ name: 'install' }, { name: 'from disk', payload: 'disk' }];
    const { result, directory } = await resultOf('boots', dnsmasq, { ...bios, boots });
    expect(result.verdict.diagnosis).toBeNull();
    expect(result.verdict.boots?.map(({ status }) => status)).toEqual(['passed', 'passed']);
    const events = readEvents(directory);
    expect(events.filter(({ source, type }) => source === 'provisioner' && type === 'started')).toHaveLength(1);
    const cycled = events.findIndex(({ type }) => type === 'power-cycled');
    const served = events.slice(cycled).filter((event) => event.type === 'line' && event.source === 'provisioner');
    expect(served).toContainEqual(
      expect.objectContaining({ text: expect.stringMatching(/sent .*boot\.ipxe to 10\.0\.2\./) }),
    );
    expect(await left()).toBe('');
  });

  it('starts in the folder that it asks for', async () => {
    const inTree = shell('ls; exit 3', { cwd: '{{tree}}', serves: ['dhcp'] });
    const { result } = await resultOf('tree', inTree, { ...frozen, serve: { 'a-file': { text: '' } } });
    expect(result.verdict.diagnosis).toContain('a-file');
  });

  it('that floods its log is cut off there, and serves on', async () => {
    const flood = shell('yes "all work and no play" & wait', { name: 'flood' });
    const { result, directory } = await resultOf('flood', [dnsmasq, flood], bios);
    expect(result.verdict.status).toBe('passed');
    expect(result.verdict.findings).toContainEqual(expect.stringContaining('a program of the provisioner'));
    expect(statSync(join(directory, 'provisioner/flood.log')).size).toBe(recordBounds.provisionerLogBytes);
    expect(await left()).toBe('');
  });
});

describe('the harness could not tell', () => {
  it.each([
    [
      'crashes',
      shell('echo "no leases left" >&2; exit 3', { serves: ['dhcp'] }),
      'sh ended with exit code 3: no leases left',
    ],
    [
      'has a typo',
      shell('dnsmask --no-daemon', { serves: ['dhcp'] }),
      /sh ended with exit code 127: .*dnsmask: not found/,
    ],
    ['goes into the background', shell('sleep 60 & exit 0', { serves: ['dhcp'] }), 'keep it in the foreground'],
    [
      'hangs',
      shell('echo thinking; sleep 60', { serves: ['dhcp'], readyWithinMs: 300 }),
      'did not become ready within 0.3 s: expected UDP port 67 bound, saw nothing bound: thinking',
    ],
    ['binds nothing', shell('echo ready; sleep 60', { ready: { log: '^ready$' } }), 'has bound no port: ready'],
    ['dies later', [dnsmasq, shell('sleep 1; echo "disk full" >&2; exit 4')], 'sh ended with exit code 4: disk full'],
  ])('where it %s', async (name, provisioner, words) => {
    const { result } = await resultOf(name.replaceAll(' ', '-'), provisioner);
    expect(result.verdict).toMatchObject({ status: 'error', stages: expect.any(Array) });
    expect(result.verdict.diagnosis).toMatch(words);
    expect(result.run.attempts).toHaveLength(1);
    expect(await left()).toBe('');
  });

  it('where there is no such program: the case is not run', async () => {
    const { cases } = await runCells(
      join(folder, 'none'),
      cellsOf({ name: 'none', ...frozen, provisioner: { command: ['no-such-dhcpd'] } }),
    );
    expect(cases[0]?.verdict).toMatchObject({
      status: 'not-run',
      diagnosis: expect.stringContaining('there is no program no-such-dhcpd'),
    });
  });
});

it.each(['SIGINT', 'SIGKILL'] as const)('nothing is left of it after %s', async (signal) => {
  using place = openWorkplace();
  const group = { name: 'killed', ...frozen, provisioner: dnsmasq };
  const matrix = place.write('matrix.json', { name: 'killed', groups: [group] });
  const argv = ['run', '--matrix', matrix, '--out', 'out', '--accel', 'tcg', '--trust'];
  const run = place.start(join(compiled, 'cli/main.js'), ...argv);
  let end: unknown;
  run.finished.then((finished) => {
    end = finished;
  });
  const guest = () => end !== undefined || place.survivors().some(({ command }) => / -S $/.test(command));
  await until('the guest', guest, 120_000);
  expect(end).toBeUndefined();
  expect(place.survivors().some(({ command }) => /dnsmasq .*--no-daemon/.test(command))).toBe(true);
  expect(place.leftovers()).toContainEqual(expect.stringMatching(/^netboot-tree-/));
  run.kill(signal);
  await run.finished;
  await until('the end of everything', () => place.survivors().length === 0);
  expect(place.leftovers()).toEqual([]);
});

/** Debian's nobody has no rights at all. */
const nobody = 65_534;

it.runIf(process.getuid?.() === 0)('an unprivileged user’s server leads a guest to its token', async () => {
  const place = mkdtempSync(join(tmpdir(), 'netboot-nobody-'));
  try {
    chmodSync(place, 0o700);
    chownSync(place, nobody, nobody);
    const matrix = join(folder, 'unprivileged.json');
    writeFileSync(matrix, JSON.stringify({ name: 'user', groups: [{ name: 'user', ...bios, provisioner: dnsmasq }] }));
    chmodSync(folder, 0o755);
    const argv = ['run', '--matrix', matrix, '--out', join(place, 'out'), '--accel', 'tcg', '--trust'];
    const { stdout, stderr } = await execa(
      'setpriv',
      [
        '--reuid',
        String(nobody),
        '--regid',
        String(nobody),
        '--clear-groups',
        process.execPath,
        join(compiled, 'cli/main.js'),
        ...argv,
      ],
      { cwd: place, env: { HOME: place, TMPDIR: place, NETBOOT_CACHE: join(compiled, '../../.cache') }, reject: false },
    );
    expect(existsSync(join(place, 'out/results.json')), `${stdout}\n${stderr}`).toBe(true);
    const { cases } = runResultSchema.parse(JSON.parse(readFileSync(join(place, 'out/results.json'), 'utf8')));
    expect(cases.map(({ verdict: { status, diagnosis } }) => ({ status, diagnosis }))).toEqual([
      { status: 'passed', diagnosis: null },
    ]);
  } finally {
    rmSync(place, { recursive: true });
  }
});
