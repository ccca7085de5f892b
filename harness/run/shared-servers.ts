import { mkdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from '../model/errors.ts';
import type { Plan } from '../model/plan.ts';
import { guestFolderOf, isShared } from '../model/provisioner.ts';
import { DisposalStack, opening } from '../os/disposal-stack.ts';
import { makePlan } from '../plan/plan.ts';
import { openServerRecord, type ServerRecord, toEach } from '../services/provisioner/record.ts';
import { openProvisioner } from '../services/provisioner/start.ts';
import { createSwitch, type Switch } from '../services/provisioner/switch.ts';
import { withSocketFolder } from '../vm/socket-folder.ts';
import { createSocketPair } from '../vm/socket-pair.ts';
import { parseMac } from '../wire/codecs/addresses.ts';
import type { Link } from '../wire/stack/link.ts';
import { linkOverStream } from '../wire/stack/stream-link.ts';
import {
  adapterArgs,
  copyTree,
  emitServerEnd,
  type ForeignStart,
  openTreeFolder,
  type RunningForeign,
} from './boot/provisioner.ts';
import type { FoundCase } from './found-case.ts';
import { newNonce } from './new-nonce.ts';
import { caseFiles } from './records/case-directory.ts';
import { pathInside } from './records/inside.ts';

/** A server that guests of one group share: started for the first of them, it ends after the last case that has it. */
export interface SharedServer {
  /**
   * Puts a guest on it, until that is disposed of. Its output and its end are recorded with the case.
   * @throws HarnessError `provisioner-failed` if it has ended, or did not start
   */
  join(start: ForeignStart): Promise<RunningForeign>;
  /** A case that has it is over. */
  leave(): Promise<void>;
}

interface Sharing {
  /** The run's directory. */
  outDir: string;
  /** How many cases have it. */
  cases: number;
  signal: AbortSignal;
}

/** Once it has been started. */
interface Running extends AsyncDisposable {
  readonly tree: string;
  readonly network: Switch;
  readonly sinceMs: number;
}

/** Below the run's directory: files, logs and databases of its shared servers, numbered as they start. */
const serversFolder = 'provisioners';

/** The first number that no server of this run, or of one that it resumes, has. */
function numberedFolder(outDir: string): string {
  mkdirSync(pathInside(outDir, serversFolder), { recursive: true });
  for (let number = 1; ; number++) {
    const name = join(serversFolder, String(number));
    try {
      mkdirSync(pathInside(outDir, name));
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

interface ServerStart extends Pick<ForeignStart, 'plan' | 'qemu' | 'signal'> {
  folder: string;
  record: ServerRecord;
  onFailure(message: string): void;
}

function startServer({ plan, qemu, ...start }: ServerStart): Promise<Running> {
  return opening(async (opened) => {
    const { path: tree } = opened.use(await openTreeFolder());
    const wire = await withSocketFolder(createSocketPair);
    const link = linkOverStream(wire.ours);
    opened.defer(() => link.close());
    const planned = plan.provisioner as NonNullable<Plan['provisioner']>;
    const server = opened.use(await openProvisioner({ ...start, planned, tree, hostArgs: adapterArgs(qemu) }));
    const network = createSwitch(link);
    await server.connect(wire.theirs);
    const sinceMs = performance.now();
    return { tree, network, sinceMs, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
  });
}

/** The link of one guest, and its files below the server's `{{tree}}`. */
function linkOf({ tree, network }: Running, { network: { guestMac } }: Plan): RunningForeign {
  const folder = join(tree, guestFolderOf(guestMac));
  let link: Link | undefined;
  return {
    async connect(served) {
      link?.close();
      await mkdir(folder, { recursive: true });
      await copyTree(served, folder);
      link = network.plug(parseMac(guestMac) as Buffer);
      return link;
    },
    async [Symbol.asyncDispose]() {
      link?.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function createSharedServer({ outDir, cases, signal }: Sharing): SharedServer & AsyncDisposable {
  const guests = new Set<ServerRecord>();
  const records = new Set<ServerRecord>();
  let left = cases;
  let folder = '';
  let starting: Promise<Running> | undefined;
  let ended: string | undefined;

  function start({ plan, qemu }: ForeignStart): Promise<Running> {
    folder = numberedFolder(outDir);
    const own = openServerRecord(join(outDir, folder), () => {});
    records.add(own);
    return startServer({
      ...{ plan, qemu, signal, folder: join(outDir, folder), record: toEach(records) },
      onFailure(message) {
        ended = message;
        for (const { emit } of guests) emitServerEnd(emit, message);
      },
    });
  }

  async function dispose(): Promise<void> {
    const running = await starting?.catch(() => undefined);
    await running?.[Symbol.asyncDispose]();
    await toEach(records).close();
  }

  return {
    async join(joining) {
      const { directory, emit, plan } = joining;
      const opened = new DisposalStack();
      const record = openServerRecord(join(directory, caseFiles.provisioner), emit);
      opened.defer(async () => {
        guests.delete(record);
        records.delete(record);
        await record.close();
      });
      const others = guests.size;
      const before = starting;
      guests.add(record);
      records.add(record);
      try {
        starting ??= start(joining);
        const running = await starting;
        const runningMs = before === undefined ? 0 : Math.round(performance.now() - running.sinceMs);
        emit({ source: 'provisioner', type: 'joined', folder, others, runningMs });
        if (ended !== undefined) throw new HarnessError('provisioner-failed', ended);
        const guest = opened.use(linkOf(running, plan));
        return { connect: guest.connect, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() };
      } catch (error) {
        await opened[Symbol.asyncDispose]();
        throw error;
      }
    },
    async leave() {
      left -= 1;
      if (left === 0) await dispose();
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** What shows that cases have the same server. */
interface Sharer {
  round: number;
  found: FoundCase;
}

/** Of a server of the user's, all but what depends on the guest's machine. */
function serverKey({ round, found }: Sharer): string | undefined {
  const { provisioner, group } = found.scenario;
  if (!isShared(provisioner)) return undefined;
  const plan = makePlan({ ...found, nonce: newNonce() });
  return JSON.stringify([group, round, { ...plan.provisioner, adapter: '', packetPrograms: '' }]);
}

interface SharedServers extends AsyncDisposable {
  of(sharer: Sharer): SharedServer | undefined;
}

/** A server for all those of `cases` that share it. Disposing of them ends those that cases have not. */
export function shareServers(cases: readonly Sharer[], options: Omit<Sharing, 'cases'>): SharedServers {
  const counts = new Map<string, number>();
  for (const one of cases) {
    const key = serverKey(one);
    if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const servers = new Map([...counts].map(([key, count]) => [key, createSharedServer({ ...options, cases: count })]));
  const opened = new DisposalStack();
  for (const server of servers.values()) opened.use(server);
  return {
    of: (sharer) => servers.get(serverKey(sharer) ?? ''),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
