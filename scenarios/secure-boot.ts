import type { MatrixInput } from 'netboot-harness';
import { because, knownFacts } from 'netboot-harness/facts';

type Groups = MatrixInput['groups'];

const ovmf = {
  arch: 'x86_64',
  firmware: 'ovmf',
  set: 'bookworm',
  nic: 'virtio-net-pci',
  rom: 'none',
  configuration: 6,
} as const;
const aavmf = { arch: 'aarch64', set: 'bookworm', nic: 'virtio-net-pci', rom: 'none', configuration: 6 } as const;
const microsoft = { secureBoot: 'microsoft' } as const;
const snakeoil = { secureBoot: 'snakeoil' } as const;
const shim = { secondStage: 'shim-grub', payload: 'linux' } as const;

/** Inside the image, past its headers: changes code that would run. */
const tampered = { patch: [{ offset: 1_048_576, ascii: 'tampered' }] };

const refusedByFirmware = {
  stopsAt: 'nbp',
  failure: { rule: 'secure-boot-refused', says: 'failed to load Boot.*: Access Denied$' },
  ...because('uefi-runs-signed'),
  reason: `${knownFacts['uefi-runs-signed'].says}, and this NBP is not signed by one`,
} as const;

const refusedByShim = {
  stopsAt: 'config',
  failure: { rule: 'secure-boot-refused', says: '^Verification failed: \\(0x1A\\) Security Violation' },
  reason: 'shim verifies GRUB before starting it, and the digest no longer matches the signature',
  reference: 'https://github.com/rhboot/shim/blob/main/README.md',
} as const;

const refusedByGrub = {
  stopsAt: 'payload-fetch',
  failure: { rule: 'secure-boot-refused', says: 'bad shim signature' },
  reason: 'GRUB has shim verify the kernel, and loads the initrd only after a signed one',
  reference: 'https://www.gnu.org/software/grub/manual/grub/grub.html#Signing-GRUB-itself',
} as const;

/** shim verifies any file of GRUB's name. */
const ipxeRefusedByShim = {
  ...refusedByShim,
  reason: "shim starts a file of GRUB's name only if signed by a key it trusts, and this iPXE is unsigned",
} as const;

/** The keys that machines ship with: Debian's signed chain boots, and nothing else does. */
const withMicrosoftKeys: Groups = [
  {
    name: 'sb-signed-uefi',
    description: 'shim, GRUB and kernel as Debian signed them',
    ...ovmf,
    ...microsoft,
    ...shim,
  },
  {
    name: 'sb-signed-arm',
    description: 'shim, GRUB and kernel as Debian signed them',
    ...aavmf,
    ...microsoft,
    ...shim,
  },
  { name: 'sb-unsigned-ipxe-uefi', ...ovmf, ...microsoft, secondStage: 'snponly', expect: refusedByFirmware },
  {
    name: 'sb-unsigned-ipxe-arm',
    ...aavmf,
    ...microsoft,
    nbpSet: 'forky',
    secondStage: 'ipxe',
    expect: refusedByFirmware,
  },
  {
    name: 'sb-unsigned-grub-uefi',
    ...ovmf,
    ...microsoft,
    secondStage: 'grub',
    payload: 'linux',
    expect: refusedByFirmware,
  },
  {
    name: 'sb-unsigned-grub-arm',
    ...aavmf,
    ...microsoft,
    secondStage: 'grub',
    payload: 'linux',
    expect: refusedByFirmware,
  },
  {
    name: 'sb-tampered-grub-uefi',
    ...ovmf,
    ...microsoft,
    ...shim,
    serve: { 'grubx64.efi': tampered },
    expect: refusedByShim,
  },
  {
    name: 'sb-tampered-grub-arm',
    ...aavmf,
    ...microsoft,
    ...shim,
    serve: { 'grubaa64.efi': tampered },
    expect: refusedByShim,
  },
  {
    name: 'sb-shim-ipxe-uefi',
    tags: ['smoke'],
    title: "shim refuses an unsigned iPXE in GRUB's place",
    ...ovmf,
    ...microsoft,
    ...shim,
    serve: { 'grubx64.efi': { secondStage: 'snponly' } },
    expect: ipxeRefusedByShim,
  },
  {
    name: 'sb-shim-ipxe-arm',
    title: "shim refuses an unsigned iPXE in GRUB's place",
    ...aavmf,
    ...microsoft,
    ...shim,
    serve: { 'grubaa64.efi': { secondStage: 'ipxe', set: 'forky' } },
    expect: ipxeRefusedByShim,
  },
  {
    name: 'sb-tampered-kernel-uefi',
    ...ovmf,
    ...microsoft,
    ...shim,
    serve: { linux: tampered },
    expect: refusedByGrub,
  },
  {
    name: 'sb-tampered-kernel-arm',
    ...aavmf,
    ...microsoft,
    ...shim,
    serve: { linux: tampered },
    expect: refusedByGrub,
  },
];

/** Debian's snakeoil keys, whose private half is public: they sign what should boot. */
const withOwnKeys: Groups = [
  {
    name: 'sb-own-uefi',
    description: 'iPXE and kernel signed with the key enrolled in the variable store',
    ...ovmf,
    ...snakeoil,
    signWith: 'snakeoil',
    secondStage: 'snponly',
    payload: 'linux',
  },
  {
    name: 'sb-own-arm',
    description: 'iPXE and kernel signed with the key enrolled in the variable store',
    ...aavmf,
    ...snakeoil,
    signWith: 'snakeoil',
    nbpSet: 'forky',
    secondStage: 'ipxe',
    payload: 'linux',
  },
  {
    name: 'sb-own-grub-uefi',
    description: 'a GRUB that the firmware trusts, without shim',
    ...ovmf,
    ...snakeoil,
    signWith: 'snakeoil',
    secondStage: 'grub',
    payload: 'linux',
    expect: {
      stopsAt: 'payload-fetch',
      failure: { rule: 'secure-boot-refused', says: 'shim_lock protocol not found' },
      reason: "under Secure Boot GRUB 2.06 starts no kernel without shim's protocol, no matter who signed the kernel",
      reference: 'https://www.gnu.org/software/grub/manual/grub/grub.html#UEFI-secure-boot-and-shim',
    },
  },
  {
    name: 'sb-foreign-shim-uefi',
    description: "Debian's shim, signed by Microsoft, where Microsoft's keys are not enrolled",
    ...ovmf,
    ...snakeoil,
    ...shim,
    expect: refusedByFirmware,
  },
  {
    name: 'sb-own-tampered-kernel-uefi',
    description:
      "a signed iPXE has the firmware verify the kernel, and encodes the firmware's status in its own error number",
    ...ovmf,
    ...snakeoil,
    signWith: 'snakeoil',
    nbpSet: 'forky',
    secondStage: 'snponly',
    payload: 'linux',
    serve: { linux: tampered },
    expect: {
      stopsAt: 'kernel',
      failure: { rule: 'secure-boot-refused', says: 'ipxe.org/7f04818f' },
      reason: `${knownFacts['uefi-runs-signed'].says}, and the kernel was modified after signing`,
      reference: 'UEFI Specification 2.10, §7.4.1 (LoadImage: EFI_ACCESS_DENIED)',
    },
  },
  {
    name: 'sb-own-tampered-kernel-old-uefi',
    ...ovmf,
    ...snakeoil,
    signWith: 'snakeoil',
    secondStage: 'snponly',
    payload: 'linux',
    serve: { linux: tampered },
    tags: ['full'],
    expect: {
      stopsAt: 'payload-fetch',
      failure: { rule: 'ipxe-error', says: 'Exec format error .*ipxe.org/2e008081' },
      reason:
        'iPXE of 2019 probes an image by having the firmware load it, discards the refusal, and reports only an unknown image type: "Exec format error"',
      reference: 'https://ipxe.org/2e008081',
    },
  },
];

/** Secure Boot with bookworm's firmware: what boots, and each refusal with the refusing program's message. */
export const secureBoot: Groups = [...withMicrosoftKeys, ...withOwnKeys];
