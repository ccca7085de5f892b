// The same machine and the same server on a plain TAP, in a network namespace: no adapter, no wire, no harness between.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fds } from '../../.build/harness/plan/argv.js';
import { boundPortsOf } from '../../.build/harness/services/provisioner/bound-ports.js';
import { findIsolation } from '../../.build/harness/services/provisioner/isolation.js';
import { openNamespace } from '../../.build/harness/services/provisioner/namespace.js';
import { startProgram } from '../../.build/harness/services/provisioner/program.js';
import { openServerRecord } from '../../.build/harness/services/provisioner/record.js';
import { runGuest, withNetdevs } from './plain-side.mjs';

const pollMs = 20;

/** The plan's server in a namespace, ready. */
async function startServer({ provisioner: planned }, folder) {
  const isolation = await findIsolation(false);
  if (isolation.attach !== 'tap') throw new Error('this host offers no TAP to a network namespace');
  const namespace = await openNamespace(planned, isolation);
  const fill = (text) => text.replaceAll('{{dir}}', folder).replaceAll('{{tree}}', folder);
  for (const [name, { text }] of Object.entries(planned.files)) writeFileSync(join(folder, name), fill(text));
  const [program] = planned.programs;
  const running = startProgram({
    program: { ...program, argv: program.argv.map(fill), cwd: folder },
    namespace,
    record: openServerRecord(folder, () => {}),
  });
  while (!boundPortsOf(namespace.pid).udp.has(69)) {
    if (running.exit !== undefined) throw new Error(`the server ended: ${running.lastWords()}`);
    await pause(pollMs);
  }
  return {
    namespace,
    isolation,
    async stop() {
      await running.stop();
      await namespace[Symbol.asyncDispose]();
    },
  };
}

/** Runs `cell` with its provisioner until the last of `marks` appears on its console. */
export async function runOnTap(cell, scratch, marks) {
  let server;
  try {
    return await runGuest(cell, scratch, marks, {
      descriptors: { nic: fds.nic, qmp: fds.qmp, serial: fds.serial },
      argv: (argv) =>
        withNetdevs(argv, {
          'stream,id=net0,': 'tap,id=net0,ifname=eth0,script=no,downscript=no',
          'user,id=up,': null,
          'stream,id=uplink,': null,
          'hubport,': null,
        }),
      async enter(program, args, { plan, folder }) {
        server = await startServer(plan, folder);
        const { namespace, isolation } = server;
        const user = isolation.user ? ['--user', '--preserve-credentials'] : [];
        return {
          program: 'nsenter',
          args: ['--target', String(namespace.pid), '--net', ...user, '--', program, ...args],
        };
      },
    });
  } finally {
    await server?.stop();
  }
}
