import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { EventSink } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import { opening } from '../os/disposal-stack.ts';
import { openTemporaryFolder } from '../os/temporary-folder.ts';
import { openProvisioner } from '../services/provisioner/start.ts';
import { type QemuFacts, sandboxArgs } from '../vm/host.ts';
import { createSocketPair, type SocketPair } from '../vm/socket-pair.ts';
import { caseFiles } from './case-directory.ts';
import { writeTree } from './write-tree.ts';

export interface ForeignStart {
  plan: Plan;
  /** The attempt's. */
  directory: string;
  qemu: Pick<QemuFacts, 'sandbox'>;
  emit: EventSink;
  signal: AbortSignal;
}

export interface RunningForeign extends AsyncDisposable {
  /** Serves what this plan does, on a wire of its own; resolves to our end of it. */
  connect(plan: Plan): Promise<Duplex>;
}

/** Without it no guest can be judged: its end is nobody's failure but its own. */
const fails =
  (emit: EventSink) =>
  (message: string): void =>
    emit({ source: 'run', type: 'infrastructure', code: 'provisioner-failed', message, retryable: false });

/** A copy for servers that run as somebody else, change their root directory, or follow no links. */
async function copyTree({ serve }: Plan, folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  await writeTree(serve, folder);
}

/** The user's server of a plan, ready; undefined if it has none. */
export async function startForeign(start: ForeignStart): Promise<RunningForeign | undefined> {
  const { plan, directory, qemu, emit, signal } = start;
  const { provisioner: planned } = plan;
  if (planned === undefined) return undefined;
  return opening(async (opened) => {
    const { path: tree } = opened.use(await openTemporaryFolder('netboot-tree-'));
    await chmod(tree, 0o755);
    let wire: SocketPair | undefined;
    opened.defer(() => wire?.ours.destroy());
    const server = await openProvisioner({
      planned,
      folder: join(directory, caseFiles.provisioner),
      tree,
      hostArgs: qemu.sandbox ? sandboxArgs : [],
      emit,
      onFailure: fails(emit),
      signal,
    });
    opened.use(server);
    return {
      async connect(served) {
        wire?.ours.destroy();
        await copyTree(served, tree);
        wire = await createSocketPair();
        await server.connect(wire.theirs);
        return wire.ours;
      },
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  });
}
