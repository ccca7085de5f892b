import type { Resolved } from '../../harness/model/resolved.ts';
import type { Scenario } from '../../harness/model/scenario.ts';

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
  expect: { reaches: 'last' },
  ...over,
});

export const resolved = (over: Partial<Resolved> = {}): Resolved => ({
  firmware: { code: '/code.fd', vars: '/vars.fd', format: 'raw', smm: false, bios: false },
  oprom: { kind: 'none' },
  nbp: { name: 'shimx64.efi', path: '/shim', bytes: 10 },
  companions: { 'grubx64.efi': { path: '/grub', bytes: 20 } },
  served: {},
  kernel: { path: '/linux', bytes: 30 },
  initrd: { path: '/initrd', bytes: 40 },
  overlay: undefined,
  san: undefined,
  inputs: [],
  prediction: {
    configuration: null,
    stopsAt: null,
    wantsRandomSource: false,
    reasons: [],
    firmwareDriver: null,
    romImage: null,
  },
  ...over,
});
