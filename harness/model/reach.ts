import { bootsOf } from './boots.ts';
import { programsOf, relayOf } from './provisioner.ts';
import type { Relay } from './relay.ts';
import type { Scenario } from './scenario.ts';

/** Something in a scenario that reaches beyond the guest and the harness itself. */
export interface Reach {
  /** Its key in the matrix, such as `firmware.code`. */
  key: string;
  value: string;
  /** A file or folder of the host; it may still lie within the matrix's folder. */
  isPath: boolean;
  /** A folder will do. */
  folder?: true;
}

const path = (key: string, value: string | undefined): Reach[] =>
  value === undefined ? [] : [{ key, value, isPath: true }];
const other = (key: string, value: string): Reach => ({ key, value, isPath: false });
const nothing = (): Reach[] => [];

/** A machine type, then switches and numbers; `dumpdtb=`, `kernel=` and the like take files. */
const plainMachine = /^[\w.-]+(,[\w.-]+=(on|off|yes|no|true|false|auto|\d+))*$/;

const ofMachine = ({ machine }: Scenario): Reach[] => (plainMachine.test(machine) ? [] : [other('machine', machine)]);

function ofNicOptions({ nicOptions = {} }: Scenario): Reach[] {
  return Object.entries(nicOptions).flatMap(([name, value]): Reach[] => {
    // Another way to a ROM file; a comma in the name would start another option.
    const isPlain = name !== 'romfile' && /^[\w.-]+$/.test(name);
    return isPlain ? [] : [other(`nicOptions.${name}`, String(value))];
  });
}

function ofServe({ serve = {} }: Scenario): Reach[] {
  return Object.entries(serve).flatMap(([name, file]): Reach[] =>
    'path' in file ? [{ key: `serve["${name}"]`, value: file.path, isPath: true, folder: true }] : [],
  );
}

const ofSecondStage = ({ secondStage }: Scenario): Reach[] =>
  path('secondStage.file', typeof secondStage === 'object' ? secondStage.file : undefined);

/** Servers of this host that the guest is let through to. */
const ofRelay = ({ relay, forward = [] }: Relay): Reach[] => [
  ...[relay].flat().map((server) => other('provisioner.relay', server)),
  ...forward.map((one, at) =>
    'tftp' in one
      ? other(`provisioner.forward[${at}].tftp`, one.tftp)
      : other(`provisioner.forward[${at}].http`, one.http),
  ),
];

/** A program that is run on this host, whatever folder it lies in, or one that is running already. */
function ofProvisioner({ provisioner }: Scenario): Reach[] {
  if (provisioner === undefined) return [];
  const relay = relayOf(provisioner);
  if (relay !== undefined) return ofRelay(relay);
  return programsOf(provisioner).flatMap(({ command, cwd, env = {}, files = {} }): Reach[] => [
    other('provisioner.command', command.join(' ')),
    ...(cwd === undefined || cwd.startsWith('{{')
      ? []
      : [{ key: 'provisioner.cwd', value: cwd, isPath: true, folder: true } as const]),
    ...Object.entries(env).map(([name, value]) => other(`provisioner.env.${name}`, value)),
    ...Object.entries(files).flatMap(([name, file]) =>
      'path' in file ? path(`provisioner.files["${name}"]`, file.path) : [],
    ),
  ]);
}

/** What a boot has of its own, each named like the case's. */
function ofBoots(scenario: Scenario): Reach[] {
  if (scenario.boots === undefined) return [];
  return bootsOf(scenario).flatMap((boot, at) =>
    [...ofServe(boot), ...ofSecondStage(boot)].map((reach) => ({ ...reach, key: `boots[${at}].${reach.key}` })),
  );
}

/** For every scenario field, what it lets in from outside; a new field does not compile without its row. */
const reachOfField: Record<keyof Scenario, (scenario: Scenario) => Reach[]> = {
  id: nothing,
  group: nothing,
  title: nothing,
  cold: nothing,
  faults: nothing,
  standIn: nothing,
  waitsFor: nothing,
  arch: nothing,
  machine: ofMachine,
  firmware: ({ firmware }) =>
    typeof firmware === 'object'
      ? [...path('firmware.code', firmware.code), ...path('firmware.vars', firmware.vars)]
      : [],
  set: nothing,
  nic: nothing,
  rom: ({ rom }) => path('rom.file', typeof rom === 'object' && 'file' in rom ? rom.file : undefined),
  secondStage: ofSecondStage,
  transport: nothing,
  payload: nothing,
  secureBoot: nothing,
  ipVersion: nothing,
  // Not a file that is read, but a program that is run.
  qemu: ({ qemu }) => (typeof qemu === 'object' ? [other('qemu.file', qemu.file)] : []),
  serialPorts: nothing,
  virtio: nothing,
  bootNic: nothing,
  nbpSet: nothing,
  configuration: nothing,
  boot: nothing,
  boots: ofBoots,
  serve: ofServe,
  kernel: ({ kernel }) => path('kernel.file', kernel?.file),
  initrd: ({ initrd }) => path('initrd.file', initrd?.file),
  kernelArgs: nothing,
  signWith: nothing,
  nicOptions: ofNicOptions,
  vlan: nothing,
  proxyDhcp: nothing,
  provisioner: ofProvisioner,
  strictServer: nothing,
  certificate: nothing,
  managedIpv6: nothing,
  sanHook: nothing,
  cpu: nothing,
  memoryMiB: nothing,
  randomSource: nothing,
  icount: nothing,
  qemuArgs: ({ qemuArgs = [] }) => (qemuArgs.length > 0 ? [other('qemuArgs', qemuArgs.join(' '))] : []),
  deadlines: nothing,
  stagePath: nothing,
  expect: nothing,
};

/** All that a scenario lets in from outside: files by path, and arguments passed to QEMU verbatim. */
export function reachOf(scenario: Scenario): Reach[] {
  return Object.values(reachOfField).flatMap((ofField) => ofField(scenario));
}
