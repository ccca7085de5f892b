import { accessSync, constants, existsSync } from 'node:fs';
import { type FirmwareQuery, isMissing } from '../../assets/sets/artefact-set.ts';
import { inspectMachine } from '../../install/machine.ts';
import { installCommands, runPackages } from '../../install/system-packages.ts';
import { type Arch, archs, type Firmware } from '../../model/axes.ts';
import { qemuProgramOf } from '../../model/qemu-program.ts';
import { cacheFolder } from '../../os/cache-folder.ts';
import { acceleratorFailures, examineHost, offeredIsolation, type ProgramReport } from '../../run/examine-host.ts';
import { defaultTemplatesMiB, storedTemplates } from '../../run/templates/template-store.ts';
import { type Artefacts, openArtefacts } from '../artefacts.ts';
import type { AddCommand } from '../command.ts';
import { type CliIo, writeJson, writeLines } from '../io.ts';
import { asTyped } from '../own-command.ts';

interface Check {
  /** `note`: worth knowing, nothing to fix. */
  state: 'ok' | 'missing' | 'note';
  what: string;
  detail: string;
}

const expectedFirmware: readonly { arch: Arch; firmware: Firmware }[] = [
  { arch: 'x86_64', firmware: 'seabios' },
  { arch: 'x86_64', firmware: 'ovmf' },
  { arch: 'aarch64', firmware: 'aavmf' },
];

function programCheck({ program, facts, problem }: ProgramReport): Check {
  if (facts === undefined) return { state: 'missing', what: program, detail: problem ?? 'cannot be asked' };
  const accels = [...facts.accels].join(', ');
  return { state: 'ok', what: program, detail: `${facts.version}, ${facts.nics.length} NICs, accelerators ${accels}` };
}

function kvmCheck(): Check | undefined {
  if (process.platform !== 'linux') return undefined;
  if (!existsSync('/dev/kvm')) return { state: 'note', what: 'KVM', detail: 'no /dev/kvm: guests are emulated' };
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return {
      state: 'note',
      what: 'KVM',
      detail: '/dev/kvm opens; used for firmware that passes a probe boot under it',
    };
  } catch {
    return { state: 'note', what: 'KVM', detail: '/dev/kvm cannot be opened by this user: guests are emulated' };
  }
}

function acceleratorChecks({ accelCacheFile }: Artefacts): Check[] {
  return acceleratorFailures(accelCacheFile).map(({ accel, qemu, firmware, reason, untilMs }) => ({
    state: 'note',
    what: `${accel} with ${firmware}`,
    detail: `failed under ${qemu} (${reason}): emulated until ${new Date(untilMs).toISOString()}, then tried again`,
  }));
}

/** The sets, other than the host's packages, that have a firmware. */
async function setsWith({ sets }: Artefacts, query: FirmwareQuery): Promise<string[]> {
  const having: string[] = [];
  for (const name of sets.names) {
    const set = await sets.get(name);
    if (!isMissing(set) && !isMissing(set.firmware(query))) having.push(name);
  }
  return having;
}

/** Cells that name no set use the host's firmware; most of the default matrix names one. */
async function firmwareCheck(
  artefacts: Artefacts,
  { arch, firmware }: (typeof expectedFirmware)[number],
): Promise<Check> {
  const what = `${firmware} for ${arch}`;
  const query = { arch, firmware, secureBoot: 'off' } as const;
  const host = await artefacts.sets.get('host');
  const found = isMissing(host) ? host : host.firmware(query);
  if (!isMissing(found)) return { state: 'ok', what, detail: found.code ?? found.builtIn ?? 'built into QEMU' };
  const elsewhere = await setsWith(artefacts, query);
  if (elsewhere.length === 0) return { state: 'missing', what, detail: found.missing };
  return { state: 'note', what, detail: `not on this host; for cells of ${elsewhere.join(', ')}, which have it` };
}

/** The sets of the default matrix, and where they are or would be. */
function setChecks({ sets }: Artefacts, io: CliIo): Check[] {
  const fetched = `netboot install fetches Debian's into ${cacheFolder(io.env)}`;
  return [{ state: 'note', what: 'artefact sets', detail: `${sets.names.join(', ')}; ${fetched}` }];
}

/** Built by an assembler in a checkout; the published package has them. */
function payloadCheck({ sets }: Artefacts): Check[] {
  const absent = archs.filter((arch) => isMissing(sets.payload(`probe-${arch}.efi`)));
  if (absent.length === 0) return [];
  const detail = `none for ${absent.join(', ')}: npm run setup builds them once binutils are there`;
  return [{ state: 'note', what: 'payloads', detail }];
}

function templateCheck({ templatesFolder }: Artefacts): Check {
  const { count, bytes } = storedTemplates(templatesFolder);
  const size = `${count} kept, ${Math.round(bytes / (1 << 20))} MiB of disk space`;
  const detail = `${size}; netboot run --keep-templates [MiB] keeps more, by default within ${defaultTemplatesMiB} MiB`;
  return { state: 'note', what: 'templates', detail };
}

/** For matrices with a server of the user's. */
async function isolationCheck(artefacts: Artefacts): Promise<Check> {
  const offered = await offeredIsolation(artefacts);
  const detail = 'way' in offered ? offered.way : `${offered.impossible}. ${offered.hint}`;
  return { state: 'note', what: 'servers of your own', detail };
}

async function checks(io: CliIo): Promise<Check[]> {
  const artefacts = await openArtefacts([], io);
  const { programs, host } = await examineHost(archs.map((arch) => ({ program: qemuProgramOf(arch), env: {} })));
  const kvm = kvmCheck();
  return [
    {
      state: 'ok',
      what: 'host',
      detail: `${host.platform}, Node ${host.node}, ${host.cores} cores, ${host.memoryMiB} MiB`,
    },
    ...programs.map(programCheck),
    ...(await Promise.all(expectedFirmware.map((one) => firmwareCheck(artefacts, one)))),
    ...setChecks(artefacts, io),
    ...payloadCheck(artefacts),
    templateCheck(artefacts),
    await isolationCheck(artefacts),
    ...(kvm ? [kvm] : []),
    ...acceleratorChecks(artefacts),
  ];
}

const ownInstall = 'netboot install --with-deps';

export const doctorCommand: AddCommand = (program, io, end) => {
  program
    .command('doctor')
    .description('Check what this host has and lacks for running cases.')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const found = await checks(io);
      const lacks = found.some(({ state }) => state === 'missing');
      if (options.json) writeJson(io.stdout, found);
      else
        writeLines(
          io.stdout,
          found.map(({ state, what, detail }) => `${state.padEnd(8)} ${what}: ${detail}`),
        );
      if (lacks) {
        const { system, hasApt } = inspectMachine(io.env);
        const commands = [...installCommands(runPackages, system), ...(hasApt ? [`as root: ${ownInstall}`] : [])];
        const asRead = commands.map((line) => `  ${asTyped(line, io.command)}`);
        writeLines(io.stderr, ['', 'To install what is missing:', ...asRead]);
      }
      end(lacks ? 3 : 0);
    });
};
