import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventSink } from '../../model/events.ts';
import type { Plan } from '../../model/plan.ts';
import { opening } from '../../os/disposal-stack.ts';
import { openTemporaryFolder, type TemporaryFolder } from '../../os/temporary-folder.ts';
import { openServerRecord } from '../../services/provisioner/record.ts';
import { openProvisioner } from '../../services/provisioner/start.ts';
import { type QemuFacts, sandboxArgs } from '../../vm/host.ts';
import { withSocketFolder } from '../../vm/socket-folder.ts';
import { createSocketPair } from '../../vm/socket-pair.ts';
import type { Link } from '../../wire/stack/link.ts';
import { linkOverStream } from '../../wire/stack/stream-link.ts';
import { caseFiles } from '../records/case-directory.ts';
import { writeTree } from '../records/write-tree.ts';

export interface ForeignStart {
  plan: Plan;
  /** The attempt's. */
  directory: string;
  qemu: Pick<QemuFacts, 'sandbox'>;
  emit: EventSink;
  signal: AbortSignal;
}

export interface RunningForeign extends AsyncDisposable {
  /** Serves what this plan does; resolves to the server's link, in place of any earlier one. */
  connect(plan: Plan): Promise<Link>;
}

/** Without it no guest can be judged: its end is nobody's failure but its own. */
export const emitServerEnd = (emit: EventSink, message: string): void =>
  emit({ source: 'run', type: 'infrastructure', code: 'provisioner-failed', message, retryable: false });

/** What confines the adapter's QEMU, where this one can be confined. */
export const adapterArgs = ({ sandbox }: Pick<QemuFacts, 'sandbox'>): readonly string[] => (sandbox ? sandboxArgs : []);

/** `{{tree}}`: a copy, for servers that run as somebody else, change their root directory, or follow no links. */
export async function openTreeFolder(): Promise<TemporaryFolder> {
  const folder = await openTemporaryFolder('netboot-tree-');
  await chmod(folder.path, 0o755);
  return folder;
}

/** Replaces what is in the folder by what a plan serves. */
export async function copyTree({ serve }: Plan, folder: string): Promise<void> {
  for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true });
  await writeTree(serve, folder);
}

/** The user's server of a plan; undefined if it has none. */
export async function startForeign(start: ForeignStart): Promise<RunningForeign | undefined> {
  const { plan, directory, qemu, emit, signal } = start;
  const { provisioner: planned } = plan;
  if (planned === undefined) return undefined;
  return opening(async (opened) => {
    const { path: tree } = opened.use(await openTreeFolder());
    const folder = join(directory, caseFiles.provisioner);
    const record = openServerRecord(folder, emit);
    opened.defer(() => record.close());
    let link: Link | undefined;
    opened.defer(() => link?.close());
    const server = opened.use(
      await openProvisioner({
        ...{ planned, folder, tree, record, signal },
        hostArgs: adapterArgs(qemu),
        onFailure: (message) => emitServerEnd(emit, message),
      }),
    );
    return {
      async connect(served) {
        link?.close();
        await copyTree(served, tree);
        const wire = await withSocketFolder(createSocketPair);
        link = linkOverStream(wire.ours);
        await server.connect(wire.theirs);
        return link;
      },
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  });
}
