import type { Plan } from '../model/plan.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { userStack } from './network.ts';

export const fds = { nic: 3, qmp: 4, serial: 5, uplink: 6 } as const;

/** QEMU splits option values at commas; a literal one is doubled. */
const quoted = (value: string): string => value.replaceAll(',', ',,');

const on = (value: string | number | boolean): string =>
  typeof value === 'boolean' ? (value ? 'on' : 'off') : quoted(String(value));

const machineOf = (scenario: Scenario, resolved: Resolved): string => {
  const options = [scenario.machine];
  // SeaBIOS copies its text console to the serial port only without a graphics adapter.
  if (resolved.firmware.interface === 'bios') options.push('graphics=off');
  if (resolved.firmware.smm) options.push('smm=on');
  return options.join(',');
};

function firmwareArgs({ firmware }: Resolved, { machineFiles = {} }: Pick<Plan, 'machineFiles'>): string[] {
  if (firmware.code === null) return [];
  if (firmware.flat) return ['-bios', firmware.code];
  const flash = (unit: number, file: string, access = ''): string[] => [
    '-drive',
    `if=pflash,unit=${unit},format=${firmware.format},${access}file=${quoted(file)}`,
  ];
  const store = (unit: number, file: string): string[] =>
    variablesFile in machineFiles ? flash(unit, variablesFile) : flash(unit, file, 'snapshot=on,');
  return [
    // Each case starts from pristine variables, and only further boots of the same machine see its changes; an image
    // without a separate store holds them itself.
    ...(firmware.vars === null ? store(0, firmware.code) : flash(0, firmware.code, 'readonly=on,')),
    ...(firmware.vars === null ? [] : store(1, firmware.vars)),
    // Secure builds rely on this to protect their variables from the guest.
    ...(firmware.smm ? ['-global', 'driver=cfi.pflash01,property=secure,value=on'] : []),
  ];
}

function romProperty({ oprom }: Resolved): string[] {
  if (oprom.kind === 'file') return [`romfile=${quoted(oprom.path)}`];
  // Explicit on every architecture: QEMU would load an x86 ROM into an Arm machine's BAR too.
  return { none: ['romfile='], 'rombar-off': ['rombar=0'], bundled: [], unsupported: [] }[oprom.kind];
}

/** Which interfaces a virtio device offers (QEMU's hw/virtio/virtio-pci.c). */
const virtioProperties: Record<NonNullable<Scenario['virtio']>, readonly string[]> = {
  legacy: ['disable-modern=on', 'disable-legacy=off'],
  transitional: ['disable-modern=off', 'disable-legacy=off'],
  modern: ['disable-modern=off', 'disable-legacy=on'],
};

/** A NIC of the same model with no link. */
const unpluggedNic = ({ nic }: Scenario): string[] => ['-device', `${nic},mac=52:54:00:12:34:57,romfile=`];

function nicArgs(scenario: Scenario, resolved: Resolved, plan: Pick<Plan, 'network'>): string[] {
  const properties = [
    scenario.nic,
    'netdev=net0',
    `mac=${plan.network.guestMac}`,
    'bootindex=0',
    ...romProperty(resolved),
    ...(scenario.virtio === undefined ? [] : virtioProperties[scenario.virtio]),
    ...Object.entries(scenario.nicOptions ?? {}).map(([name, value]) => `${name}=${on(value)}`),
  ];
  return [
    '-netdev',
    `stream,id=net0,server=off,addr.type=fd,addr.str=${fds.nic}`,
    ...(scenario.nic.startsWith('usb-') ? ['-device', 'qemu-xhci'] : []),
    ...(scenario.bootNic === 'second-of-two' ? unpluggedNic(scenario) : []),
    '-device',
    properties.join(','),
    ...(scenario.bootNic === 'first-of-two' ? unpluggedNic(scenario) : []),
  ];
}

/** The machine's disk, and its name in the case's directory. */
export const diskFile = 'disk.img';
/** Its firmware's variables, there too if they are kept from one boot to the next. */
export const variablesFile = 'variables.fd';

/** After the NIC in the boot order. */
const diskArgs = ({ machineFiles = {} }: Pick<Plan, 'machineFiles'>): string[] =>
  diskFile in machineFiles
    ? ['-drive', `if=none,id=disk,format=raw,file=${diskFile}`, '-device', 'virtio-blk-pci,drive=disk,bootindex=1']
    : [];

/** QEMU's user-mode stack as the uplink for TCP, joined to the harness by a hub without a NIC. Present even without TCP. */
const uplinkOptions = (plan: Pick<Plan, 'network'>): string[] => [
  '-netdev',
  plan.network.ipv6
    ? `user,id=up,ipv4=on,${userStack.ipv4},ipv6=on,${userStack.ipv6}`
    : `user,id=up,${userStack.ipv4},ipv6=off`,
  '-netdev',
  `stream,id=uplink,server=off,addr.type=fd,addr.str=${fds.uplink}`,
  '-netdev',
  'hubport,id=hub-up,hubid=1,netdev=up',
  '-netdev',
  'hubport,id=hub-link,hubid=1,netdev=uplink',
];

const fwCfg = (name: string, value: string): string[] => ['-fw_cfg', `name=opt/org.tianocore/${name},string=${value}`];

/** Network boot by any transport other than the one under test is disabled where the firmware has a switch for it. */
function networkSwitches(scenario: Scenario, { firmware, transports }: Resolved): string[] {
  if (firmware.interface === 'bios') return [];
  const http = ['http', 'https'].includes(transports.nbp) && scenario.secondStage !== 'none';
  const six = scenario.ipVersion === 6;
  return [
    ...(http || six ? fwCfg('IPv4PXESupport', 'no') : []),
    ...(http || !six ? fwCfg('IPv6PXESupport', 'no') : []),
    ...(six ? [] : fwCfg('IPv6Support', 'no')),
  ];
}

/** The file to which run writes the CAs that firmware is to trust; QEMU reads it at start. */
export const authorityFile = 'https-authorities.esl';

/** OVMF and AAVMF take their TLS CAs from here (OvmfPkg/Library/TlsAuthConfigLib). */
export const enrolsAuthority = ({ firmware }: Resolved, network: Plan['network']): boolean =>
  firmware.interface === 'uefi' && network.tcp.some(({ service }) => service === 'https');

const tlsArgs = (resolved: Resolved, { network }: Pick<Plan, 'network'>): string[] =>
  enrolsAuthority(resolved, network) ? ['-fw_cfg', `name=etc/edk2/https/cacerts,file=${authorityFile}`] : [];

const debugPort = (scenario: Scenario): string[] =>
  scenario.arch === 'x86_64'
    ? [
        '-chardev',
        'file,id=debug,path=firmware-debug.log,append=on',
        '-device',
        'isa-debugcon,iobase=0x402,chardev=debug',
      ]
    : [];

/**
 * QEMU's command line without program, acceleration and sandbox, which depend on the host (`vm/` prepends
 * them). Log paths are relative: QEMU runs in the case's directory.
 */
export function planArgv(
  scenario: Scenario,
  resolved: Resolved,
  plan: Pick<Plan, 'network' | 'machineFiles'>,
): string[] {
  const memoryMiB = planMemoryMiB(scenario);
  return [
    ...resolved.qemu.dataFolders.flatMap((folder) => ['-L', folder]),
    '-nodefaults',
    '-no-user-config',
    '-no-reboot',
    // A guest that shuts down stays, stopped, until its last figures have been read.
    '-no-shutdown',
    '-display',
    'none',
    '-machine',
    machineOf(scenario, resolved),
    '-m',
    `${memoryMiB}M`,
    '-chardev',
    `socket,id=qmp,fd=${fds.qmp}`,
    '-mon',
    'chardev=qmp,mode=control',
    '-chardev',
    `socket,id=serial,fd=${fds.serial}`,
    '-serial',
    'chardev:serial',
    // Ports that nothing reads.
    ...Array.from({ length: (scenario.serialPorts ?? 1) - 1 }, () => ['-serial', 'null']).flat(),
    ...debugPort(scenario),
    ...firmwareArgs(resolved, plan),
    // Otherwise AAVMF waits 5 s for a key.
    ...(scenario.arch === 'aarch64' ? ['-boot', 'menu=on,splash-time=0'] : []),
    ...(scenario.randomSource === false ? [] : ['-device', 'virtio-rng-pci']),
    ...(scenario.icount === undefined ? [] : ['-icount', `shift=${scenario.icount},sleep=off`]),
    ...networkSwitches(scenario, resolved),
    ...tlsArgs(resolved, plan),
    ...nicArgs(scenario, resolved, plan),
    ...diskArgs(plan),
    ...uplinkOptions(plan),
    ...(scenario.qemuArgs ?? []),
  ];
}

/** Found to be sufficient. One size for nearly all cells of an architecture lets them start from the same templates. */
export function planMemoryMiB({ memoryMiB, payload, arch }: Scenario): number {
  if (memoryMiB !== undefined) return memoryMiB;
  if (payload === 'installer') return 1024;
  return arch === 'x86_64' ? 512 : 256;
}

/** Guest CPU by accelerator, where the scenario does not say. */
export function planCpu(scenario: Scenario, { firmware }: Pick<Resolved, 'firmware'>): Plan['qemu']['cpu'] {
  const { arch, cpu, randomSource } = scenario;
  if (cpu !== undefined) return { tcg: cpu, kvm: cpu, hvf: cpu };
  if (arch === 'x86_64') return { tcg: 'qemu64', kvm: 'qemu64', hvf: 'host' };
  // Firmware since 2024.05 wants FEAT_RNG on Arm; pointer authentication makes TCG half as slow again.
  const tcg = firmware.wantsRandomSource && randomSource !== false ? 'max,pauth=off' : 'cortex-a57';
  return { tcg, kvm: 'host', hvf: 'host' };
}
