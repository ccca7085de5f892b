// The same machine with its NIC on QEMU's user-mode network, which has its own DHCP and TFTP, or on whatever `attach`
// makes of it. HTTP comes from the harness's server on loopback, so the sides differ only in the network.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fds } from '../../.build/harness/plan/argv.js';
import { makePlan } from '../../.build/harness/plan/plan.js';
import { findCase } from '../../.build/harness/run/found-case.js';
import { startHttp } from '../../.build/harness/services/http/server.js';
import { openTree } from '../../.build/harness/services/tree/served-tree.js';
import { probeQemu } from '../../.build/harness/vm/host.js';
import { startQemu } from '../../.build/harness/vm/qemu.js';
import { runningArgv } from '../../.build/harness/vm/running-argv.js';
import { artefacts } from './harness-side.mjs';
import { clocks, watchMarks } from './marks.mjs';

const nonce = '0123456789ab';
const giveUpMs = 120_000;

/** `argv` with other netdevs in place of those whose options begin with a key of `others`; null removes one. */
export function withNetdevs(argv, others) {
  const kept = [];
  for (let at = 0; at < argv.length; at++) {
    if (argv[at] !== '-netdev') {
      kept.push(argv[at]);
      continue;
    }
    const netdev = argv[++at];
    const key = Object.keys(others).find((beginning) => netdev.startsWith(beginning));
    const other = key === undefined ? netdev : others[key];
    if (other !== null) kept.push('-netdev', other);
  }
  return kept;
}

/** QEMU's user-mode network, with its own DHCP and TFTP. */
export const userNetwork = (id, folder, bootFile) => `user,id=${id},tftp=${folder},bootfile=${bootFile}`;

/** TFTP serves host files and texts; in texts the HTTP server gets its loopback port. */
function fillFolder(folder, serve, httpPort) {
  for (const [name, file] of Object.entries(serve)) {
    if ('text' in file)
      writeFileSync(join(folder, name), file.text.replaceAll('http://10.0.2.2', `http://10.0.2.2:${httpPort}`));
    else symlinkSync(file.path, join(folder, name));
  }
}

/** Runs `cell` on the user-mode network until the last of `marks` appears on its console. */
export const runPlain = (cell, scratch, marks) =>
  runGuest(cell, scratch, marks, {
    descriptors: { nic: fds.nic, qmp: fds.qmp, serial: fds.serial },
    argv: (argv, { folder, bootFile }) =>
      withNetdevs(argv, {
        'stream,id=net0,': userNetwork('net0', folder, bootFile),
        'user,id=up,': null,
        'stream,id=uplink,': null,
        'hubport,': null,
      }),
  });

/**
 * Runs `cell` until the last of `marks` appears on its console, with `argv` of the plan's and the folder that TFTP is to
 * serve; `enter` makes a program run where its network is; `attach` is given the guest and its plan.
 */
export async function runGuest(
  cell,
  scratch,
  marks,
  { descriptors, argv = (planned) => planned, enter = async (program, args) => ({ program, args }), attach = () => {} },
) {
  const folder = mkdtempSync(join(scratch, 'plain-'));
  const found = await findCase(cell, artefacts);
  if ('missing' in found) throw new Error(`${cell.id}: ${found.missing}`);
  const plan = makePlan({ ...found, nonce });
  const qemu = await probeQemu(plan.qemu);
  const http = await startHttp({ tree: openTree(plan.serve), emit: () => {} });
  fillFolder(folder, plan.serve, http.port);
  const bootFile = plan.deliveries.nbp[0]?.name ?? 'boot.ipxe';
  const watched = watchMarks(marks);
  const started = clocks();
  const changed = { ...plan.qemu, argv: argv(plan.qemu.argv, { folder, bootFile }) };
  const entered = await enter(plan.qemu.program, runningArgv({ ...plan, qemu: changed }, qemu, 'tcg'), {
    plan,
    folder,
  });
  const guest = await startQemu({
    program: entered.program,
    env: plan.qemu.env,
    argv: entered.args,
    cwd: folder,
    emit: () => {},
    onStderr: () => {},
    fds: descriptors,
  });
  try {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${cell.id} without the harness: no ${marks.at(-1)}`)), giveUpMs);
      guest.serial.on('data', (chunk) => {
        watched.push(chunk);
        if (!watched.has(marks.at(-1))) return;
        clearTimeout(timer);
        resolve();
      });
      guest.serial.resume();
      attach(guest, plan);
    });
    return { started, at: watched.at };
  } finally {
    await guest.stop();
    await http.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
