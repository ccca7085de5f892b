import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { judge } from '../../harness/judge/judge.ts';
import type { HarnessEvent } from '../../harness/model/events.ts';
import { readEvents, readPlan } from '../../harness/run/records/run-directory.ts';
import { bios, cellsOf, frozen, runCells } from '../run/rig.ts';
import { folderOfFile } from '../temporary-folder.ts';
import { compile, compiled, openWorkplace, until } from './cli.ts';
import { dnsmasqWith, programsLeftIn } from './dnsmasq.ts';

const folder = folderOfFile();
beforeAll(compile, 120_000);

const dnsmasq = { ...dnsmasqWith('tftp-unique-root=mac'), scope: 'group' };
const shell = (script: string) => ({ command: ['sh', '-c', script] });

const left = () => programsLeftIn(folder);

type Dhcp = Extract<HarnessEvent, { type: 'dhcp' }>;
const isAck = (event: HarnessEvent): event is Dhcp => event.type === 'dhcp' && event.messageType === 'ack';

it('one server has all guests of its group, with a lease and files for each', async () => {
  const outDir = join(folder, 'guests');
  const cells = cellsOf({
    ...{ name: 'guests', ...bios, firmware: ['seabios', 'ovmf'], nic: ['e1000', 'rtl8139'], provisioner: dnsmasq },
    exclude: [{ when: { firmware: 'ovmf', nic: 'rtl8139' }, reason: 'three are enough' }],
  });
  const { cases } = await runCells(outDir, cells, { jobs: 3 });
  expect(cases.map(({ verdict: { status, diagnosis } }) => diagnosis ?? status)).toEqual([
    'passed',
    'passed',
    'passed',
  ]);

  const guests = cases.map(({ run, verdict }) => {
    const directory = join(outDir, run.directory as string);
    const plan = readPlan(directory);
    const { network } = plan;
    const events = readEvents(directory);
    expect(judge(plan, events)).toEqual(verdict);
    const own = events.filter(isAck).filter(({ mac }) => mac === network.guestMac);
    return { directory, mac: network.guestMac, events, leases: new Set(own.map(({ yiaddr }) => yiaddr)) };
  });
  const addresses = guests.map(({ leases }) => [...leases].join(' '));
  expect(new Set(addresses).size).toBe(3);
  for (const address of addresses) expect(address).toMatch(/^10\.0\.2\.1\d\d$/);

  // One server was started, with one database, which stays.
  const starts = guests.flatMap(({ events }) => events.filter(({ type }) => type === 'joined'));
  expect(starts).toHaveLength(3);
  for (const start of starts) expect(start).toMatchObject({ folder: 'provisioners/1' });
  const leases = readFileSync(join(outDir, 'provisioners/1/leases'), 'utf8').trim().split('\n');
  expect(leases.map((line) => line.split(' ').slice(1, 3).join(' ')).toSorted()).toEqual(
    guests.map(({ mac, leases: [ip] }) => `${mac} ${ip}`).toSorted(),
  );
  for (const { directory, mac, events } of guests) {
    // What the server said in its time is with the case, and on its time axis.
    expect(readFileSync(join(directory, 'provisioner/dnsmasq.log'), 'utf8')).toContain(`DHCPACK(eth0) `);
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'line', text: expect.stringMatching(`DHCPACK.*${mac}`) }),
    );
    // Nobody else's questions, and of others' answers only what is sent to all.
    const strange = events.filter((event) => event.type === 'dhcp' && event.mac !== mac) as Dhcp[];
    expect(strange.filter(({ from, targetIp }) => from === 'guest' || targetIp !== '255.255.255.255')).toEqual([]);
  }
  expect(await left()).toBe('');
});

it('guests of one server are not spread over other machines', async () => {
  const cells = cellsOf({ name: 'far', ...bios, provisioner: dnsmasq });
  const elsewhere = { cores: 1, run: async () => [] };
  const { cases } = await runCells(join(folder, 'far'), cells, { elsewhere });
  expect(cases[0]?.verdict).toMatchObject({
    status: 'not-run',
    diagnosis: expect.stringContaining('run it without the farm'),
  });
});

it('a reproduction has the server for its guest alone, and says so', async () => {
  using place = openWorkplace();
  const recorded = join(folder, 'guests/cases', 'guests.x86_64.pc.seabios.e1000.bundled');
  const argv = ['repro', recorded, '--trust', '--out', 'out', '--accel', 'tcg'];
  const { stdout, stderr, exitCode } = await place.start(join(compiled, 'cli/main.js'), ...argv).finished;
  expect(stderr).toContain('started for this guest alone');
  expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('as before: passed') });
});

it('the harness could not tell, for a guest that has it when it ends and one that comes later', async () => {
  const dies = [dnsmasq, shell('sleep 1; echo "disk full" >&2; exit 4')];
  const cells = cellsOf({ name: 'dies', ...frozen, nic: ['e1000', 'rtl8139'], provisioner: dies });
  const { cases } = await runCells(join(folder, 'dies'), cells, { jobs: 1 });
  for (const { verdict, run } of cases) {
    expect(verdict.status).toBe('error');
    expect(verdict.diagnosis).toContain('sh ended with exit code 4: disk full');
    expect(run.attempts).toHaveLength(1);
  }
  expect(await left()).toBe('');
});

it('one that does not start is started once', async () => {
  const broken = { ...shell('echo started >>{{dir}}/starts; echo "no leases left" >&2; exit 3'), serves: ['dhcp'] };
  const cells = cellsOf({
    ...{ name: 'broken', ...frozen, nic: ['e1000', 'rtl8139'] },
    provisioner: { ...broken, scope: 'group' },
  });
  const outDir = join(folder, 'broken');
  const { cases } = await runCells(outDir, cells, { jobs: 2 });
  for (const { verdict } of cases) expect(verdict.diagnosis).toContain('sh ended with exit code 3: no leases left');
  expect(readFileSync(join(outDir, 'provisioners/1/starts'), 'utf8')).toBe('started\n');
});

it('each repeat has a server of its own', async () => {
  const cells = cellsOf({ name: 'again', ...bios, provisioner: dnsmasq });
  const outDir = join(folder, 'again');
  const { cases } = await runCells(outDir, cells, { jobs: 2, repeat: 2 });
  expect(cases.map(({ verdict: { status } }) => status)).toEqual(['passed', 'passed']);
  const leases = [1, 2].map((number) => readFileSync(join(outDir, `provisioners/${number}/leases`), 'utf8'));
  for (const lease of leases) expect(lease.trim().split('\n')).toHaveLength(1);
});

it.each(['SIGINT', 'SIGKILL'] as const)('nothing is left of it after %s', async (signal) => {
  using place = openWorkplace();
  const group = { name: 'killed', ...frozen, nic: ['e1000', 'rtl8139'], provisioner: dnsmasq };
  const matrix = place.write('matrix.json', { name: 'killed', groups: [group] });
  const argv = ['run', '--matrix', matrix, '--out', 'out', '--accel', 'tcg', '--trust', '--jobs', '2'];
  const run = place.start(join(compiled, 'cli/main.js'), ...argv);
  const guests = () => place.survivors().filter(({ command }) => / -S $/.test(command)).length === 2;
  await until('the guests', guests, 120_000);
  expect(place.survivors().filter(({ command }) => /^\S*dnsmasq .*--no-daemon/.test(command))).toHaveLength(1);
  run.kill(signal);
  await run.finished;
  await until('the end of everything', () => place.survivors().length === 0);
  expect(place.leftovers()).toEqual([]);
});
