import type { Resolved, ResolvedProgram } from '../model/resolved.ts';
import { withFilesAt } from '../model/with-files-at.ts';
import type { FoundCase } from '../run/found-case.ts';

type Input = Resolved['inputs'][number];

/** Whether QEMU finds the file itself, or it is a program: then it is each machine's own. */
export function isOwn({ role, path }: Input, { oprom, firmware, provisioner }: Resolved): boolean {
  if (role === 'qemu') return true;
  if (role === 'oprom') return oprom.kind === 'bundled';
  if (role === 'firmware-code') return firmware.code === null;
  return role === 'provisioner' && (provisioner?.programs.some((program) => program.path === path) ?? false);
}

const mapValues = <T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));

const fileAt = <T extends { path: string }>(file: T | undefined, at: (path: string) => string): T | undefined =>
  file && { ...file, path: at(file.path) };

const programAt = ({ path, env, files }: ResolvedProgram, at: (path: string) => string): ResolvedProgram => ({
  path,
  env,
  files: mapValues(files, (file) => ('path' in file ? { path: at(file.path) } : file)),
});

/** A case with every file that can be sent at another place; what is each machine's own stays. */
export function withPaths(found: FoundCase, at: (path: string) => string): FoundCase {
  const { scenario, resolved, prediction, boots } = found;
  const { firmware, oprom, nbp, companions, served, kernel, initrd, overlay, san, disk, provisioner, inputs } =
    resolved;
  return {
    prediction,
    scenario: withFilesAt(scenario, at),
    resolved: {
      ...resolved,
      firmware: {
        ...firmware,
        code: firmware.code === null ? null : at(firmware.code),
        vars: firmware.vars === null ? null : at(firmware.vars),
      },
      oprom: oprom.kind === 'file' ? { ...oprom, path: at(oprom.path) } : oprom,
      nbp: fileAt(nbp, at),
      companions: mapValues(companions, (file) => ({ ...file, path: at(file.path) })),
      served: mapValues(served, (file) => ({ ...file, path: at(file.path) })),
      kernel: fileAt(kernel, at),
      initrd: fileAt(initrd, at),
      overlay: fileAt(overlay, at),
      san: san && { ...san, disk: { ...san.disk, path: at(san.disk.path) } },
      disk: fileAt(disk, at),
      provisioner: provisioner && {
        ...provisioner,
        programs: provisioner.programs.map((program) => programAt(program, at)),
      },
      inputs: inputs.map((input) => (isOwn(input, resolved) ? input : { ...input, path: at(input.path) })),
    },
    ...(boots && { boots: boots.map((boot) => withPaths(boot, at)) }),
  };
}

/** Paths of what is each machine's own. */
function ownPathsOf({ resolved }: FoundCase): string[] {
  const { qemu, san, provisioner, inputs } = resolved;
  const packets = provisioner?.packetPrograms;
  const commands = [...(provisioner?.programs ?? []), ...(packets ? [packets.socat, packets.ethtool] : [])];
  return [
    qemu.program,
    ...qemu.dataFolders,
    ...Object.values(qemu.env),
    ...(san ? [san.programRoot] : []),
    ...commands.flatMap(({ path, env }) => [path, ...Object.values(env)]),
    ...inputs.filter((input) => isOwn(input, resolved)).map(({ path }) => path),
  ];
}

/** Every path in a case that may differ between machines, in an order that is the same on all of them. */
export function pathsOf(found: FoundCase): string[] {
  const paths: string[] = [];
  withPaths(found, (path) => {
    paths.push(path);
    return path;
  });
  return [...paths, ...[found, ...(found.boots ?? [])].flatMap(ownPathsOf)];
}
