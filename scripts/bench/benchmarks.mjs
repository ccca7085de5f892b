// What is measured. Each benchmark resolves to { title, rows: [{ what, unit, aim, harness: [], plain: [] }], notes }.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createCapture } from '../../.build/harness/wire/capture/capture.js';
import {
  beginMark,
  endMark,
  linuxCells,
  provisionerCell,
  scriptCell,
  templateCell,
  tokenMark,
  transferBytes,
  transferCell,
} from './cells.mjs';
import { runHttpFloor, runTftpFloor } from './floor-side.mjs';
import { watchGuestMemory } from './guest-memory.mjs';
import { runInHarness } from './harness-side.mjs';
import { between, clocks } from './marks.mjs';
import { runPlain } from './plain-side.mjs';
import { runOnTap } from './tap-side.mjs';

const megabytes = transferBytes / 1e6;
const guestsAtOnce = 16;

/** Every side once a round, in alternating order, so that load hits all. */
async function inTurn(rounds, ...sides) {
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) await side();
  }
}

/** Three sides: `floor` is shown as if it were the harness, in rows of its own. */
async function transfer({ rounds, scratch }, { transport, url, completed, aims, runFloor }) {
  const cell = transferCell(transport, transport, url, scratch);
  const marks = [beginMark, endMark];
  const speed = { harness: [], plain: [], floor: [] };
  const cpu = { harness: [], plain: [], floor: [] };
  const onWire = { what: 'first request to last ACK on the wire', unit: 'MB/s', harness: [], plain: [] };
  const measure = (side, at) => {
    const { ms, cpuMs } = between(at(beginMark), at(endMark));
    speed[side].push((megabytes / ms) * 1000);
    cpu[side].push(cpuMs / 1000);
  };
  await inTurn(
    rounds,
    async () => {
      const { at, events } = await runInHarness(cell, scratch, marks);
      measure('harness', at);
      const { ms } = events.find(
        (event) => event.source === 'wire' && event.type === completed && event.bytes === transferBytes,
      );
      onWire.harness.push((megabytes / ms) * 1000);
    },
    async () => measure('plain', (await runPlain(cell, scratch, marks)).at),
    async () => measure('floor', (await runFloor(cell, scratch, marks)).at),
  );
  const row = (what, unit, { harness, plain }, aim) => ({ what, unit, harness, plain, ...(aim && { aim }) });
  const asHarness = ({ floor, plain }) => ({ harness: floor, plain });
  return {
    rows: [
      row('between two marks on the console', 'MB/s', speed, aims.speed),
      onWire,
      row('CPU of the Node process meanwhile', 's', cpu, aims.cpu),
      row('the least that Node can do: between the marks', 'MB/s', asHarness(speed)),
      row('the least that Node can do: CPU', 's', asHarness(cpu)),
    ],
  };
}

const tftp = async (setting) => ({
  title: '40 MB by TFTP to iPXE (SeaBIOS, virtio-net, blksize 1432, window 1)',
  ...(await transfer(setting, {
    transport: 'tftp',
    url: 'tftp://10.0.2.2/big',
    completed: 'tftp-complete',
    aims: { speed: '≥ 12', cpu: '< 1.2' },
    runFloor: runTftpFloor,
  })),
});

const http = async (setting) => ({
  title: '40 MB by HTTP to iPXE (SeaBIOS, virtio-net), the same server on loopback',
  ...(await transfer(setting, {
    transport: 'http',
    url: 'http://10.0.2.2/big',
    completed: 'http-complete',
    aims: { speed: '≥ 40' },
    runFloor: runHttpFloor,
  })),
});

/** `plain` is the same dnsmasq on a TAP that is the guest's own. */
async function provisioner({ rounds, scratch }) {
  const cell = provisionerCell(scratch);
  const marks = [beginMark, endMark];
  const wall = { what: 'between two marks on the console', unit: 's', aim: '≤ 2 ×', harness: [], plain: [] };
  const speed = { what: 'the same', unit: 'MB/s', harness: [], plain: [] };
  const measure = (side, { at }) => {
    const { ms } = between(at(beginMark), at(endMark));
    wall[side].push(ms / 1000);
    speed[side].push((megabytes / ms) * 1000);
  };
  await inTurn(
    rounds,
    async () => measure('harness', await runInHarness(cell, scratch, marks)),
    async () => measure('plain', await runOnTap(cell, scratch, marks)),
  );
  return { title: "40 MB by dnsmasq's TFTP to iPXE: through the wire, and as 'plain' on a TAP", rows: [wall, speed] };
}

/** Runs one case in a new process, which prints the CPU it used. */
function coldBootCpu() {
  const { stdout, stderr, status } = spawnSync(process.execPath, [
    fileURLToPath(new URL('cold-boot.mjs', import.meta.url)),
  ]);
  if (status !== 0) throw new Error(`the cold boot failed: ${stderr}`);
  return JSON.parse(stdout);
}

async function boot({ rounds, scratch }) {
  const cell = scriptCell();
  const warm = { what: 'CPU of one more case in a warm process', unit: 's', aim: '< 0.1', harness: [], plain: [] };
  const cold = { what: 'CPU of a new process for one case', unit: 's', harness: [], plain: [] };
  const loading = { what: '… of which loading modules and probing the host', unit: 's', harness: [], plain: [] };
  const wall = { what: 'power-on to token', unit: 's', harness: [], plain: [] };
  const seconds = ({ started }, at) => between(started, at).ms / 1000;
  await runInHarness(cell, scratch);
  await inTurn(
    rounds,
    async () => {
      const run = await runInHarness(cell, scratch, [tokenMark]);
      warm.harness.push(between(run.started, run.ended).cpuMs / 1000);
      wall.harness.push(seconds(run, run.at(tokenMark)));
      const { beforeCpuMs, cpuMs } = coldBootCpu();
      cold.harness.push(cpuMs / 1000);
      loading.harness.push(beforeCpuMs / 1000);
    },
    async () => {
      const run = await runPlain(cell, scratch, [tokenMark]);
      wall.plain.push(seconds(run, run.at(tokenMark)));
    },
  );
  return { title: 'A whole boot of SeaBIOS + iPXE to a script', rows: [warm, cold, loading, wall] };
}

async function linux({ rounds, scratch }, { firmware, aim, title }) {
  const cell = linuxCells[firmware]();
  const wall = { what: 'power-on to token from userspace', unit: 's', aim, harness: [], plain: [] };
  const noLease = { what: "… less iPXE's lease, with its wait for a proxy", unit: 's', harness: [], plain: [] };
  const cpu = { what: 'CPU of the Node process meanwhile', unit: 's', harness: [], plain: [] };
  const marks = [beginMark, endMark, tokenMark];
  const measure = (side, { started, at }) => {
    const { ms, cpuMs } = between(started, at(tokenMark));
    wall[side].push(ms / 1000);
    noLease[side].push((ms - between(at(beginMark), at(endMark)).ms) / 1000);
    cpu[side].push(cpuMs / 1000);
  };
  await inTurn(
    rounds,
    async () => measure('harness', await runInHarness(cell, scratch, marks)),
    async () => measure('plain', await runPlain(cell, scratch, marks)),
  );
  return { title, rows: [wall, noLease, cpu] };
}

const linuxTitle = (firmware) =>
  `Linux to userspace, ${firmware}: iPXE and its script by TFTP, kernel and initrd by HTTP, on both sides`;
const linuxOvmf = (setting) => linux(setting, { firmware: 'ovmf', aim: '≤ 1.05 ×', title: linuxTitle('x86_64, OVMF') });
const linuxAavmf = (setting) =>
  linux(setting, { firmware: 'aavmf', aim: '≤ 1.05 ×', title: linuxTitle('aarch64, AAVMF') });

/** The two sides are both the harness: from a kept template, and from power-on. */
async function template({ rounds, scratch }) {
  const cell = templateCell();
  const templatesFolder = join(scratch, 'templates');
  const templates = { keep: true, limitBytes: 2 ** 32 };
  const wall = { what: 'a whole case', unit: 's', aim: '≤ 0.5 ×', harness: [], plain: [] };
  const cpu = { what: 'CPU of the guest', unit: 's', harness: [], plain: [] };
  const measure = (side, { result: { run } }) => {
    wall[side].push(run.durationMs / 1000);
    cpu[side].push(run.guestCpuMs / 1000);
  };
  const warm = () => runInHarness(cell, scratch, [], { templates, templatesFolder });
  await warm();
  await inTurn(
    rounds,
    async () => measure('harness', await warm()),
    async () => measure('plain', await runInHarness(cell, scratch)),
  );
  return {
    title: "OVMF and snponly to a script: from a kept template, and as 'plain' from power-on",
    rows: [wall, cpu],
  };
}

/** Guests of one machine that all start from one template; `plain` is a single guest from power-on. */
async function memory({ rounds, scratch }) {
  const cells = Array.from({ length: guestsAtOnce }, (_, at) => templateCell(`guest-${at + 1}`));
  const restored = { templates: { keep: true, limitBytes: 2 ** 32 }, templatesFolder: join(scratch, 'templates') };
  const peaks = { together: [], restored: [], cold: [] };
  const measure = async (figures, chosen, more) => {
    const watched = watchGuestMemory(chosen.length);
    const run = await runInHarness(chosen[0], scratch, [], { ...more, cells: chosen, jobs: chosen.length });
    const bytes = watched.stop();
    if (bytes === 0) throw new Error(`there never were ${chosen.length} guests at once`);
    const isRestored = run.events.some(({ type }) => type === 'restored');
    if (isRestored !== (more !== undefined)) throw new Error(`the guest was ${isRestored ? '' : 'not '}restored`);
    figures.push(bytes / 1e6);
  };
  const [one] = cells;
  await runInHarness(one, scratch, [], restored);
  await inTurn(
    rounds,
    () => measure(peaks.together, cells, restored),
    () => measure(peaks.restored, [one], restored),
    () => measure(peaks.cold, [one]),
  );
  const row = (what, harness) => ({ what, unit: 'MB', harness, plain: peaks.cold });
  return {
    title: "Memory of OVMF guests that boot snponly to a script: from one template, and as 'plain' one from power-on",
    rows: [
      { ...row(`PSS of ${guestsAtOnce} guests from one template, at most`, peaks.together), aim: '< 6 ×' },
      row('PSS of one guest from the template, at most', peaks.restored),
    ],
  };
}

/** Frames at the pace of a TFTP transfer: a disk that cannot keep up is not what this measures. */
async function capture({ rounds, scratch }) {
  const data = Buffer.alloc(1478, 7);
  const acknowledgment = Buffer.alloc(60, 1);
  const blocks = Math.ceil(transferBytes / 1432);
  const perPause = 20;
  const cost = { what: `CPU for ${2 * blocks} frames`, unit: 's', aim: '< 0.2', harness: [], plain: [] };
  for (let round = 0; round < rounds; round++) {
    const before = clocks();
    const path = join(scratch, `capture-${round}.pcapng`);
    let incomplete = false;
    const emit = () => {
      incomplete = true;
    };
    const file = await createCapture(path, { startedAtMs: Date.now(), emit });
    for (let block = 0; block < blocks; block++) {
      file.frame('server', data, performance.now());
      file.frame('guest', acknowledgment, performance.now());
      if (block % perPause === 0) await pause(1);
    }
    await file.close();
    cost.harness.push(between(before, clocks()).cpuMs / 1000);
    if (incomplete) throw new Error('the disk could not keep up with the capture');
  }
  return { title: 'Capture of a 40 MB transfer', rows: [cost] };
}

export const benchmarks = {
  tftp,
  http,
  provisioner,
  boot,
  'linux-ovmf': linuxOvmf,
  'linux-aavmf': linuxAavmf,
  template,
  memory,
  capture,
};
