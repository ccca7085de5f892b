import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { HarnessError } from '../../model/errors.ts';
import type { PlannedProvisioner } from '../../model/provisioner.ts';
import { opening } from '../../os/disposal-stack.ts';
import { type RunningAdapter, startAdapter } from './adapter.ts';
import { type BoundPorts, boundPortsOf } from './bound-ports.ts';
import { findIsolation, type Isolation } from './isolation.ts';
import { type Namespace, openNamespace } from './namespace.ts';
import { type RunningProgram, startProgram } from './program.ts';
import { endText, readyText, saidText, waitUntilReady } from './readiness.ts';
import type { ServerRecord } from './record.ts';

export interface ProvisionerStart {
  planned: PlannedProvisioner;
  /** `{{dir}}`: its files; made here. */
  folder: string;
  /** `{{tree}}`: what is served, as files. */
  tree: string;
  /** QEMU's arguments on this host that precede the plan's. */
  hostArgs: readonly string[];
  record: ServerRecord;
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

/** How many sockets of each kind programs could be reached at. */
type BoundCounts = Record<keyof BoundPorts, number>;

function countBound(pid: number): BoundCounts {
  const { udp, tcp, raw } = boundPortsOf(pid);
  return { udp: udp.size, tcp: tcp.size, raw };
}

/** Whether anything has come to be since; TCP is looked at last. */
function bindsMore(pid: number, before: BoundCounts): boolean {
  const now = boundPortsOf(pid);
  return now.udp.size > before.udp || now.raw > before.raw || now.tcp.size > before.tcp;
}

async function startPrograms(start: ProvisionerStart, planned: PlannedProvisioner, namespace: Namespace) {
  const { folder, record, signal } = start;
  const { pid } = namespace;
  const programs: RunningProgram[] = [];
  const stop = async (): Promise<void> => {
    for (const program of programs.toReversed()) await program.stop();
  };
  const before = countBound(pid);
  try {
    for (const program of planned.programs) {
      const startedMs = performance.now();
      const running = startProgram({ program, namespace, record });
      programs.push(running);
      await waitUntilReady({ planned: program, running, pid, folder }, signal);
      const ms = Math.round(performance.now() - startedMs);
      record.emit({
        source: 'provisioner',
        type: 'ready',
        program: running.name,
        ms,
        signs: program.ready.map(readyText),
      });
    }
    const last = programs.at(-1) as RunningProgram;
    if (!bindsMore(pid, before)) {
      throw new HarnessError('provisioner-failed', `the provisioner is ready, and has bound no port${saidText(last)}`);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { programs, stop };
}

export interface RunningProvisioner extends AsyncDisposable {
  /**
   * Joins the server to this wire in place of any earlier one; `theirs` is closed here once the adapter has it. The first
   * time its programs are started, which want a network that is up.
   * @throws HarnessError `provisioner-failed` with its last words
   */
  connect(theirs: Socket): Promise<void>;
}

/**
 * Prepares a network and process namespace for a server of the user's. Disposing of it leaves nothing of it running; if
 * the harness is killed the kernel sees to that.
 * @throws HarnessError `provisioner-failed`, `missing-program` if this host cannot isolate it.
 */
export function openProvisioner(start: ProvisionerStart): Promise<RunningProvisioner> {
  return opening(async (opened) => {
    const planned = withFolders(start.planned, start);
    const isolation = await isolationOf(planned);
    await writeFiles(planned, start.folder);
    const namespace = opened.use(await openNamespace(planned, isolation));
    const { hostArgs, onFailure } = start;
    let adapter: RunningAdapter | undefined;
    let programs: Awaited<ReturnType<typeof startPrograms>> | undefined;
    let stopping = false;
    const unplug = async (): Promise<void> => {
      const last = adapter;
      adapter = undefined;
      await last?.[Symbol.asyncDispose]();
    };
    opened.defer(unplug);
    return {
      async connect(wire) {
        await unplug();
        const plugged = await startAdapter({ planned, isolation, namespace, hostArgs, wire });
        adapter = plugged;
        plugged.failed.then((message) => {
          if (adapter === plugged && !stopping) onFailure(message);
        });
        if (programs !== undefined) return;
        programs = await startPrograms(start, planned, namespace);
        for (const program of programs.programs) {
          program.exited.then(() => {
            if (!stopping) onFailure(endText(program));
          });
        }
      },
      async [Symbol.asyncDispose]() {
        stopping = true;
        opened.defer(() => programs?.stop());
        await opened[Symbol.asyncDispose]();
      },
    };
  });
}
