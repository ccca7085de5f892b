import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import type { EventSink } from '../../model/events.ts';
import type { PlannedProvisioner } from '../../model/provisioner.ts';
import { DisposalStack, opening } from '../../os/disposal-stack.ts';
import { startAdapter } from './adapter.ts';
import { boundPortsOf } from './bound-ports.ts';
import { findIsolation, type Isolation } from './isolation.ts';
import { type Namespace, openNamespace } from './namespace.ts';
import { type RunningProgram, startProgram } from './program.ts';
import { endText, readyText, saidText, waitUntilReady } from './readiness.ts';

export interface ProvisionerStart {
  planned: PlannedProvisioner;
  /** `{{dir}}`: its files and logs; made here. */
  folder: string;
  /** `{{tree}}`: what the case serves, as files. */
  tree: string;
  /** The wire's end for the adapter. */
  wire: Socket;
  /** QEMU's arguments on this host that precede the plan's. */
  hostArgs: readonly string[];
  emit: EventSink;
  /** Something of it ended before it was stopped. */
  onFailure(message: string): void;
  signal: AbortSignal;
}

/** The last step of filling in: folders are known only now. */
function withFolders(planned: PlannedProvisioner, { folder, tree }: ProvisionerStart): PlannedProvisioner {
  const fill = (text: string): string => text.replaceAll('{{dir}}', folder).replaceAll('{{tree}}', tree);
  const filled = <V>(record: Record<string, V>, change: (value: V) => V) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
  return {
    ...planned,
    programs: planned.programs.map((program) => ({
      ...program,
      argv: program.argv.map(fill),
      env: filled(program.env, fill),
      cwd: fill(program.cwd),
    })),
    files: filled(planned.files, (file) => ('text' in file ? { text: fill(file.text) } : file)),
  };
}

async function writeFiles({ files }: PlannedProvisioner, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, file] of Object.entries(files)) {
    if ('text' in file) await writeFile(join(folder, name), file.text);
    else await copyFile(file.path, join(folder, name));
  }
}

async function isolationOf({ packetPrograms }: PlannedProvisioner): Promise<Isolation> {
  const isolation = await findIsolation(packetPrograms !== undefined);
  if ('attach' in isolation) return isolation;
  throw new HarnessError('missing-program', `the provisioner cannot be isolated: ${isolation.impossible}`, {
    hint: isolation.hint,
  });
}

/** Whether anything that programs could be reached at has come to be since. */
function bindsNothing(pid: number, before: number): boolean {
  const { udp, tcp, raw } = boundPortsOf(pid);
  return udp.size + tcp.size + raw <= before;
}

async function startPrograms(start: ProvisionerStart, planned: PlannedProvisioner, namespace: Namespace) {
  const { folder, emit, signal } = start;
  const { pid } = namespace;
  const programs: RunningProgram[] = [];
  const stop = async (): Promise<void> => {
    for (const program of programs.toReversed()) await program.stop();
  };
  const before = boundPortsOf(pid);
  const socketsBefore = before.udp.size + before.tcp.size + before.raw;
  try {
    for (const program of planned.programs) {
      const startedMs = performance.now();
      const running = startProgram({ program, namespace, folder, emit });
      programs.push(running);
      await waitUntilReady({ planned: program, running, pid, folder }, signal);
      const ms = Math.round(performance.now() - startedMs);
      emit({ source: 'provisioner', type: 'ready', program: running.name, ms, signs: program.ready.map(readyText) });
    }
    const last = programs.at(-1) as RunningProgram;
    if (bindsNothing(pid, socketsBefore)) {
      throw new HarnessError('provisioner-failed', `the provisioner is ready, and has bound no port${saidText(last)}`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { programs, stop };
}

/**
 * Starts a server of the user's in a network and process namespace of its own, and resolves when it is ready. Disposing
 * of it leaves nothing of it running; if the harness is killed the kernel sees to that.
 * @throws HarnessError `provisioner-failed` with its last words, `missing-program` if this host cannot isolate it.
 */
export function startProvisioner(start: ProvisionerStart): Promise<AsyncDisposable> {
  return opening(async (opened) => {
    const planned = withFolders(start.planned, start);
    const isolation = await isolationOf(planned);
    await writeFiles(planned, start.folder);
    const namespace = opened.use(await openNamespace(planned, isolation));
    const { wire, hostArgs, onFailure } = start;
    const adapter = opened.use(await startAdapter({ planned, isolation, namespace, hostArgs, wire }));
    const { programs, stop } = await startPrograms(start, planned, namespace);
    let stopping = false;
    const watch = (message: string): void => {
      if (!stopping) onFailure(message);
    };
    for (const program of programs) program.exited.then(() => watch(endText(program)));
    adapter.failed.then(watch);
    const all = new DisposalStack();
    all.use(opened);
    all.defer(stop);
    return {
      async [Symbol.asyncDispose]() {
        stopping = true;
        await all[Symbol.asyncDispose]();
      },
    };
  });
}
