import { bootsOf } from '../../harness/model/boots.ts';
import type { Plan } from '../../harness/model/plan.ts';
import type { Resolved } from '../../harness/model/resolved.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { transportsOf } from '../../harness/model/transports.ts';
import { makePlan } from '../../harness/plan/plan.ts';

export const nonce = 'c0ffee';

export const scenario = (over: Partial<Scenario>): Scenario => ({
  id: 'case',
  group: 'group',
  arch: 'x86_64',
  machine: 'q35',
  firmware: 'ovmf',
  set: 'bookworm',
  nic: 'virtio-net-pci',
  rom: 'none',
  secondStage: 'shim-grub',
  transport: 'tftp',
  payload: 'linux',
  secureBoot: 'off',
  ipVersion: 4,
  qemu: 'host',
  expect: { reaches: 'last' },
  ...over,
});

export const uefi: Resolved['firmware'] = {
  interface: 'uefi',
  code: '/code.fd',
  vars: '/vars.fd',
  format: 'raw',
  smm: false,
  flat: false,
  wantsRandomSource: false,
};

export const resolved = (over: Partial<Resolved> = {}): Omit<Resolved, 'loader' | 'transports'> => ({
  qemu: { program: 'qemu-system-x86_64', dataFolders: [], env: {} },
  firmware: uefi,
  oprom: { kind: 'none' },
  nbp: { name: 'shimx64.efi', path: '/shim', bytes: 10 },
  companions: { 'grubx64.efi': { path: '/grub', bytes: 20 } },
  served: {},
  kernel: { path: '/linux', bytes: 30 },
  initrd: { path: '/initrd', bytes: 40 },
  overlay: undefined,
  san: undefined,
  disk: undefined,
  provisioner: undefined,
  inputs: [],
  ...over,
});

/** The machine's own disk. */
export const disk = { path: '/disk', bytes: 1 << 20, nonce: { offsets: [512], bytes: 8 } };

/** The plan of a scenario whose files were found as `resolved` says. */
export function planOf(cell: Scenario, found: ReturnType<typeof resolved> = resolved()): Plan {
  const factsOf = (boot: Scenario) => ({
    scenario: boot,
    resolved: {
      ...found,
      disk: boot.payload === 'disk' ? found.disk : undefined,
      loader: typeof boot.secondStage === 'object' ? ('custom' as const) : boot.secondStage,
      transports: transportsOf(boot.transport),
    },
    prediction: { configuration: null, stopsAt: null, reasons: [], facts: [] },
  });
  const boots = cell.boots && { boots: bootsOf(cell).map(factsOf) };
  return makePlan({ ...factsOf(cell), ...boots, nonce });
}
