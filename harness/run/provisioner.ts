import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { EventSink } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import { opening } from '../os/disposal-stack.ts';
import { openTemporaryFolder } from '../os/temporary-folder.ts';
import { startProvisioner } from '../services/provisioner/start.ts';
import { type QemuFacts, sandboxArgs } from '../vm/host.ts';
import { createSocketPair } from '../vm/socket-pair.ts';
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
  /** Our end of the link to the server. */
  readonly link: Duplex;
}

/** Without it no guest can be judged: its end is nobody's failure but its own. */
const fails =
  (emit: EventSink) =>
  (message: string): void =>
    emit({ source: 'run', type: 'infrastructure', code: 'provisioner-failed', message, retryable: false });

/** A copy for servers that run as somebody else, change their root directory, or follow no links. */
async function copyTree({ serve }: Plan, folder: string): Promise<void> {
  await chmod(folder, 0o755);
  await writeTree(serve, folder);
}

/** The user's server of a plan, ready; undefined if it has none. */
export async function startForeign(start: ForeignStart): Promise<RunningForeign | undefined> {
  const { plan, directory, qemu, emit, signal } = start;
  const { provisioner: planned } = plan;
  if (planned === undefined) return undefined;
  return opening(async (opened) => {
    const { path: tree } = opened.use(await openTemporaryFolder('netboot-tree-'));
    await copyTree(plan, tree);
    const { ours, theirs } = await createSocketPair();
    opened.defer(() => {
      ours.destroy();
      theirs.destroy();
    });
    const server = await startProvisioner({
      planned,
      folder: join(directory, caseFiles.provisioner),
      tree,
      wire: theirs,
      hostArgs: qemu.sandbox ? sandboxArgs : [],
      emit,
      onFailure: fails(emit),
      signal,
    });
    opened.use(server);
    return { link: ours, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  });
}
