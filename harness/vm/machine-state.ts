import { once } from 'node:events';
import { createReadStream, createWriteStream, readdirSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { Qmp } from './qmp.ts';
import { withSocketFolder } from './socket-folder.ts';

/** A stopped machine on disk: its RAM, sparse, and the state of its devices (QEMU's migration stream). */
export interface MachineFiles {
  ram: string;
  devices: string;
}

const pollMs = 2;
const unlimited = 2 ** 40;

const ram = (backend: string, memoryMiB: number): string[] => [
  '-object',
  `${backend},id=ram,size=${memoryMiB}M`,
  '-machine',
  'memory-backend=ram',
];

/** RAM that can be copied while the machine is stopped; no file has its name. */
export const savableArgs = (memoryMiB: number): string[] => ram('memory-backend-memfd,share=on', memoryMiB);

/** RAM mapped copy-on-write from a saved machine, which is then loaded with `loadMachine`. */
export const loadableArgs = (memoryMiB: number, { ram: file }: MachineFiles): string[] => [
  ...ram(`memory-backend-file,share=off,mem-path=${file.replaceAll(',', ',,')}`, memoryMiB),
  '-incoming',
  'defer',
  '-S',
];

/** RAM stays out of the stream (QEMU's docs/devel/migration, x-ignore-shared). */
async function prepare(qmp: Qmp): Promise<void> {
  const capabilities = [{ capability: 'x-ignore-shared', state: true }];
  await qmp.execute('migrate-set-capabilities', { capabilities });
  // A restored machine would announce itself with frames that its guest never sent.
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': unlimited, 'announce-rounds': 0 });
}

async function migrated(qmp: Qmp): Promise<void> {
  for (;;) {
    const { status, 'error-desc': reason } = (await qmp.execute('query-migrate')) as Record<string, unknown>;
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') throw new Error(`QEMU could not save it: ${reason ?? status}`);
    await sleep(pollMs);
  }
}

/** The descriptor that QEMU keeps of its RAM, readable through procfs. */
function ramOf(pid: number): string {
  const folder = `/proc/${pid}/fd`;
  const isRam = (fd: string): boolean => {
    try {
      return readlinkSync(join(folder, fd)).startsWith('/memfd:memory-backend-memfd');
    } catch {
      return false;
    }
  };
  const fd = readdirSync(folder).find(isRam);
  if (fd === undefined) throw new Error("QEMU's RAM is not to be found among its descriptors");
  return join(folder, fd);
}

/**
 * Saves a machine that was started with `savableArgs` and is stopped; it can go on afterwards. Rejects if QEMU cannot save
 * one of its devices.
 */
export async function saveMachine({ qmp, pid }: { qmp: Qmp; pid: number }, files: MachineFiles): Promise<void> {
  await prepare(qmp);
  await withSocketFolder(async (folder) => {
    const path = join(folder, 'socket');
    const server = createServer().listen(path);
    try {
      await once(server, 'listening');
      const connected = once(server, 'connection') as Promise<[Socket]>;
      const written = connected.then(([socket]) => pipeline(socket, createWriteStream(files.devices)));
      written.catch(() => {});
      await qmp.execute('migrate', { uri: `unix:${path}` });
      await migrated(qmp);
      await written;
    } finally {
      server.close();
    }
  });
  // Node cannot copy holes, and most of the RAM is untouched.
  await execa('cp', ['--sparse=always', ramOf(pid), files.ram]);
}

/** Loads a machine into a QEMU started with `loadableArgs`; it is stopped then. Rejects if QEMU refuses the state. */
export async function loadMachine(qmp: Qmp, { devices }: MachineFiles): Promise<void> {
  await prepare(qmp);
  await withSocketFolder(async (folder) => {
    const path = join(folder, 'socket');
    await qmp.execute('migrate-incoming', { uri: `unix:${path}` });
    const socket = connect(path);
    await once(socket, 'connect');
    // QEMU may close before it has read the description that follows the last device: its status says whether it has all.
    await pipeline(createReadStream(devices), socket).catch(() => {});
    while (((await qmp.execute('query-status')) as { status?: unknown }).status === 'inmigrate') await sleep(pollMs);
  });
}
