import type { Provisioner, ProvisionerProgram } from './provisioner.ts';
import type { Scenario } from './scenario.ts';

type At = (path: string) => string;

const namedAt = <T>(value: T, at: At): T =>
  typeof value === 'object' && value !== null && 'file' in value && typeof value.file === 'string'
    ? { ...value, file: at(value.file) }
    : value;

const firmwareAt = (firmware: Scenario['firmware'], at: At): Scenario['firmware'] =>
  typeof firmware === 'object'
    ? { ...firmware, code: at(firmware.code), ...(firmware.vars && { vars: at(firmware.vars) }) }
    : firmware;

/** Files by name, of which some are at a path. */
const filesAt = <F extends object>(files: Readonly<Record<string, F>>, at: At): Record<string, F> =>
  Object.fromEntries(
    Object.entries(files).map(([name, file]) => [
      name,
      'path' in file && typeof file.path === 'string' ? { ...file, path: at(file.path) } : file,
    ]),
  );

const programAt = (program: ProvisionerProgram, at: At): ProvisionerProgram => ({
  ...program,
  ...(program.files && { files: filesAt(program.files, at) }),
});

/** A server that runs already has no files of ours. */
function provisionerAt(provisioner: Provisioner, at: At): Provisioner {
  if ('relay' in provisioner) return provisioner;
  return Array.isArray(provisioner) ? provisioner.map((program) => programAt(program, at)) : programAt(provisioner, at);
}

/** What a case, or one of its boots, is given to load. */
type Loads = { [K in 'secondStage' | 'serve']?: Scenario[K] | undefined };

const loadsAt = ({ secondStage, serve }: Loads, at: At): Partial<Pick<Scenario, keyof Loads>> => ({
  ...(secondStage && { secondStage: namedAt(secondStage, at) }),
  ...(serve && { serve: filesAt(serve, at) }),
});

/** The scenario with every file that it names by path at another place: what `reachOf` lists, but for programs and folders. */
export function withFilesAt(scenario: Scenario, at: At): Scenario {
  const { firmware, rom, kernel, initrd, provisioner, boots } = scenario;
  return {
    ...scenario,
    ...loadsAt(scenario, at),
    firmware: firmwareAt(firmware, at),
    rom: namedAt(rom, at),
    ...(kernel && { kernel: namedAt(kernel, at) }),
    ...(initrd && { initrd: namedAt(initrd, at) }),
    ...(provisioner && { provisioner: provisionerAt(provisioner, at) }),
    ...(boots && { boots: boots.map((boot) => ({ ...boot, ...loadsAt(boot, at) })) }),
  };
}
