import type { FoundKernel } from '../assets/sets/artefact-set.ts';
import type { Resolved } from '../model/resolved.ts';
import { nonceFieldOf } from './nonce-field.ts';
import { found, NotHere, type Resolving } from './resolving.ts';
import type { Signer } from './signer.ts';

export type Payload = Pick<Resolved, 'kernel' | 'initrd' | 'overlay'>;

const none: Payload = { kernel: undefined, initrd: undefined, overlay: undefined };

/** Kernel and initrds, from the scenario's own files or from sets. */
export async function resolvePayload({ scenario, sources, add }: Resolving, signed: Signer): Promise<Payload> {
  const { payload, arch } = scenario;
  if (payload !== 'linux' && payload !== 'installer') return none;
  const wantsPackaged = !scenario.kernel || (payload === 'installer' && !scenario.initrd);
  const packaged = wantsPackaged
    ? found<FoundKernel>(await sources.sets.kernel(arch, scenario.nbpSet ?? scenario.set))
    : undefined;
  const kernel = scenario.kernel
    ? await add('kernel', await signed(scenario.kernel.file))
    : await add('kernel', await signed(packaged?.kernel as string), packaged?.package);
  if (scenario.initrd) return { kernel, initrd: await add('initrd', scenario.initrd.file), overlay: undefined };
  const tiny = found<{ path: string }>(sources.sets.payload(`linux-initrd-${arch}.cpio.gz`));
  if (payload === 'linux') return { kernel, initrd: await add('initrd', tiny.path), overlay: undefined };
  if (packaged?.initrd === undefined) throw new NotHere(`no installer initrd for ${arch} was found`);
  // The installer's own /init knows no nonce: the tiny initrd, unpacked after it, replaces it.
  const initrd = await add('initrd', packaged.initrd, packaged.package);
  return { kernel, initrd, overlay: await add('initrd', tiny.path) };
}

/** The machine's own disk. */
export async function resolveDisk({ scenario, sources, add }: Resolving): Promise<Resolved['disk']> {
  if (scenario.payload !== 'disk') return undefined;
  const { path } = found<{ path: string }>(sources.sets.payload('probe-disk.img'));
  return { ...(await add('disk', path)), nonce: await nonceFieldOf(path) };
}

/** The disk of a SAN boot, and the iSCSI target program. */
export async function resolveSan({ scenario, sources, add }: Resolving): Promise<Resolved['san']> {
  if (scenario.payload !== 'iscsi' && scenario.sanHook !== true) return undefined;
  const { path } = found<{ path: string }>(sources.sets.payload('probe-disk.img'));
  const program = found<{ root: string }>(await sources.sets.program('tgt'));
  return { disk: await add('disk', path), nonce: await nonceFieldOf(path), programRoot: program.root };
}
