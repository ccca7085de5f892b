// The same machine with its NIC on QEMU's user-mode network, which has its own DHCP and TFTP. HTTP comes from the
// harness's server on loopback, so the two sides differ only in the network.
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

/** The plan's argv with the user-mode network behind the same NIC. */
function withUserNetwork(argv, tftpFolder, bootFile) {
  const kept = [];
  for (let at = 0; at < argv.length; at++) {
    if (argv[at] !== '-netdev') kept.push(argv[at]);
    else if (argv[++at].startsWith('stream,id=net0,')) {
      kept.push('-netdev', `user,id=net0,tftp=${tftpFolder},bootfile=${bootFile}`);
    }
  }
  return kept;
}

/** TFTP serves host files and texts; in texts the HTTP server gets its loopback port. */
function fillFolder(folder, serve, httpPort) {
  for (const [name, file] of Object.entries(serve)) {
    if ('text' in file)
      writeFileSync(join(folder, name), file.text.replaceAll('http://10.0.2.2', `http://10.0.2.2:${httpPort}`));
    else symlinkSync(file.path, join(folder, name));
  }
}

/** Runs `cell` until the last of `marks` appears on its console. */
export async function runPlain(cell, scratch, marks) {
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
  const argv = runningArgv(
    { ...plan, qemu: { ...plan.qemu, argv: withUserNetwork(plan.qemu.argv, folder, bootFile) } },
    qemu,
    'tcg',
  );
  const guest = await startQemu({
    ...{ program: plan.qemu.program, env: plan.qemu.env, argv, cwd: folder, emit: () => {}, onStderr: () => {} },
    fds: { nic: fds.nic, qmp: fds.qmp, serial: fds.serial },
  });
  try {
    await new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${cell.id} on user-mode network: no ${marks.at(-1)}`)),
        giveUpMs,
      );
      guest.serial.on('data', (chunk) => {
        watched.push(chunk);
        if (!watched.has(marks.at(-1))) return;
        clearTimeout(timer);
        resolve();
      });
    });
    return { started, at: watched.at };
  } finally {
    await guest.stop();
    await http.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
