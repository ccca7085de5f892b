import { ipxeLoaders } from '../model/axes.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import { type Stage, tokenOf } from '../model/stages.ts';
import type { Finding, Observed, Rule } from './evidence.ts';
import { isUefi, romCanRun } from './plan-facts.ts';
import { deliveryRules } from './wire-rules.ts';

export type SerialLine = Extract<HarnessEvent, { source: 'serial' }>;

interface SerialRow {
  name: string;
  pattern: RegExp;
  /** Why the text is enough. */
  proves: string;
  /** Which stage; or that the boot failed, for good (`end`) or perhaps not (`remark`). */
  stage?: Stage;
  failure?: 'end' | 'remark';
  /** It stands in a line that does not end: a failure is otherwise read from whole lines alone, whatever the load. */
  prompt?: true;
  /** Only where this holds. */
  when?: (plan: Plan, observed: Observed) => boolean;
}

const grubLoaders: readonly Plan['loader'][] = ['grub', 'shim-grub'];
const syslinuxLoaders: readonly Plan['loader'][] = ['pxelinux', 'syslinux'];
const afterNbp = (_plan: Plan, observed: Observed): boolean => observed.stages.has('nbp-fetch');
const beforeNbp = (_plan: Plan, observed: Observed): boolean => !observed.stages.has('nbp-fetch');
const loadedBy =
  (loaders: readonly Plan['loader'][]) =>
  (plan: Plan, observed: Observed): boolean =>
    loaders.includes(plan.loader) && observed.stages.has('nbp-fetch');

/** EDK II's boot option of IPv6 has begun; either line may be lost to a longer one that it overwrites. */
export const saysIpv6 = ({ text }: SerialLine): boolean => />>Start .* over IPv6|Station IPv6 address/.test(text);

/** Console text → stages and failures. First matching row of each kind wins; order is from particular to general. */
const serialTable: readonly SerialRow[] = [
  // Platform firmware.
  { name: 'seabios-banner', stage: 'firmware', pattern: /^SeaBIOS \(version/, proves: "SeaBIOS' first line" },
  { name: 'uefi-banner', stage: 'firmware', pattern: /^UEFI firmware \(version/, proves: "AAVMF's first line" },
  { name: 'bds', stage: 'firmware', pattern: /^BdsDxe: /, proves: 'the boot device selection phase of EDK II speaks' },
  {
    name: 'uefi-network-start',
    stage: 'firmware',
    pattern: />>Start (PXE|HTTP Boot) over IPv[46]/,
    proves: 'the network boot drivers of EDK II speak',
  },
  {
    name: 'uefi-shell-banner',
    stage: 'firmware',
    pattern: /^UEFI Interactive Shell v/,
    proves: 'the shell is part of the firmware',
  },
  {
    name: 'uefi-dispatched-rom',
    stage: 'firmware',
    pattern: /^iPXE (initialising devices|\d\S* -- Open Source)/,
    when: (plan, observed) => isUefi(plan) && romCanRun(plan) && beforeNbp(plan, observed),
    proves: 'a UEFI driver runs from a ROM only once the firmware has dispatched it',
  },
  // Option ROMs.
  {
    name: 'ipxe-bios-rom',
    stage: 'oprom',
    pattern: /^iPXE \(http.*\) [0-9A-F]{2}:[0-9A-F]{2}\.\d .*(PCI|PnP)/i,
    proves: "iPXE's ROM prefix prints its PCI address while the BIOS initialises it",
  },
  {
    name: 'ipxe-rom-start',
    stage: 'oprom',
    pattern: /^iPXE (initialising devices|\d\S* -- Open Source)/,
    when: (plan, observed) => romCanRun(plan) && beforeNbp(plan, observed),
    proves: 'iPXE runs before any NBP was delivered, so it came from the ROM',
  },
  // Network boot programs.
  {
    name: 'ipxe-nbp',
    stage: 'nbp',
    pattern: /^iPXE (initialising devices|\d\S* -- Open Source)/,
    when: loadedBy(ipxeLoaders),
    proves: 'iPXE starts (anew) after the NBP was delivered',
  },
  {
    name: 'grub-menu',
    stage: 'nbp',
    pattern: /^(GRUB version|Welcome to GRUB|GNU GRUB)/,
    when: loadedBy(grubLoaders),
    proves: "GRUB's own text",
  },
  {
    name: 'syslinux-banner',
    stage: 'nbp',
    pattern: /^(PXELINUX|SYSLINUX) \d/,
    when: loadedBy(syslinuxLoaders),
    proves: "the loader's copyright line",
  },
  {
    name: 'efi-stub',
    stage: 'nbp',
    pattern: /^EFI stub: /,
    when: loadedBy(['linux', 'uki']),
    proves: "the kernel's EFI stub is the NBP, or in it",
  },
  // Kernel.
  {
    name: 'linux-banner',
    stage: 'kernel',
    pattern: /^(\[\s*\d+\.\d+\] )?Linux version \d/,
    proves: "the kernel's own banner",
  },
  // Failures that end a case.
  {
    name: 'seabios-no-boot',
    failure: 'end',
    pattern: /^No bootable device/,
    proves: 'SeaBIOS has tried every boot device',
  },
  {
    name: 'uefi-shell',
    failure: 'end',
    pattern: /^UEFI Interactive Shell v/,
    proves: 'EDK II falls to its shell when no boot option worked',
  },
  {
    name: 'bds-nothing',
    failure: 'end',
    pattern: /^BdsDxe: No bootable option or device was found/,
    proves: 'EDK II has tried every boot option',
  },
  {
    name: 'uefi-setup',
    failure: 'end',
    pattern: /<Enter>=Select Entry/,
    proves: 'EDK II falls to its boot manager menu when a boot option returned and no other worked',
  },
  {
    // On x86 a dump of all registers lies between the first line and the one that names the image.
    name: 'uefi-exception',
    failure: 'end',
    pattern:
      /^((Synchronous|IRQ|FIQ|SError) Exception at 0x[0-9A-F]{16}$|!!!! (Find image based on IP\(.*!!!!$|Can't find image information))/,
    proves: "EDK II's exception handler speaks, and halts the machine",
  },
  {
    name: 'secure-boot-refused',
    failure: 'end',
    pattern:
      /(Access Denied|Security Violation|Verification failed|bad shim signature|shim_lock protocol not found|prohibited by secure boot policy|ipxe\.org\/7f0481(8f|9a))/i,
    when: (plan) => plan.scenario.secureBoot !== 'off',
    proves:
      "firmware, shim or GRUB names the Secure Boot check that failed, or iPXE's number (0x7f0481) holds the status of a LoadImage() that did: EFI_ACCESS_DENIED (8f), EFI_SECURITY_VIOLATION (9a)",
  },
  {
    name: 'pxe-error',
    failure: 'end',
    pattern: /PXE-E[0-9A-F]{2}: /,
    when: (plan) => plan.scenario.secureBoot === 'off',
    proves: "a PXE client's error code (PXE 2.1 appendix)",
  },
  {
    name: 'http-boot-error',
    failure: 'end',
    pattern: /^\s*Error: (Could not|Server response|The URI|Cannot|Invalid|Unexpected|Not)/,
    // IPv4 comes first, and is turned away where the case is to boot over IPv6.
    when: (plan, observed) => plan.scenario.ipVersion === 4 || observed.saidIpv6,
    proves: 'UEFI HTTP boot tells why it gave up',
  },
  {
    name: 'syslinux-no-root',
    failure: 'end',
    pattern: /^Failed to locate root device to prep for file operations/,
    proves: 'syslinux.efi knows no way to fetch anything from where it was loaded',
  },
  {
    name: 'kernel-panic',
    failure: 'end',
    pattern: /Kernel panic - not syncing/,
    proves: 'the kernel says it cannot go on',
  },
  {
    name: 'ipxe-no-device',
    failure: 'end',
    pattern: /^No more network devices/,
    proves: 'iPXE has tried every network device',
  },
  {
    name: 'grub-no-entry',
    failure: 'end',
    pattern: /^\s*Failed to boot both default and fallback entries/,
    proves: 'GRUB has tried every entry of its configuration',
  },
  {
    name: 'grub-prompt',
    failure: 'end',
    prompt: true,
    pattern: /(Minimal BASH-like line editing|^grub(?: rescue)?> )/,
    proves: 'GRUB fell to its prompt: no configuration took effect',
  },
  {
    name: 'shim-gave-up',
    failure: 'end',
    pattern: /start_image\(\) returned/,
    proves: 'shim tells what became of its second stage',
  },
  {
    name: 'pxelinux-no-config',
    failure: 'end',
    pattern: /^(ERROR: )?No configuration file found/,
    proves: 'every name of the configuration search was refused',
  },
  // Remarks: the boot may recover, the diagnosis wants the words.
  {
    name: 'uefi-exception-type',
    failure: 'remark',
    pattern: /^!!!! \w+ Exception Type - /,
    proves: "the first line of EDK II's dump on x86 names the exception, and its last one the image",
  },
  {
    name: 'bds-option-failed',
    failure: 'remark',
    pattern: /^BdsDxe: failed to (load|start) Boot/,
    proves: 'one boot option of several failed',
  },
  {
    name: 'ipxe-untrusted',
    failure: 'remark',
    pattern: /ipxe\.org\/0216eb/,
    proves: 'iPXE found no way from the certificate to an authority it trusts (EACCES_UNTRUSTED)',
  },
  {
    name: 'ipxe-wrong-name',
    failure: 'remark',
    pattern: /ipxe\.org\/0216ea/,
    proves: 'iPXE wanted a certificate for the name in the URL (EACCES_WRONG_NAME)',
  },
  {
    name: 'ipxe-expired',
    failure: 'remark',
    pattern: /ipxe\.org\/0216e4/,
    proves: 'iPXE looked at the clock and the dates of the certificate (EACCES_EXPIRED)',
  },
  {
    name: 'ipxe-error',
    failure: 'remark',
    pattern: /^(?!.*(?:autoexec\.ipxe|[TR]XE: \d)).*https?:\/\/ipxe\.org\/[0-9a-f]{8}/,
    proves: 'iPXE names the error by number; an absent autoexec.ipxe and counters of packets are none',
  },
  { name: 'grub-error', failure: 'remark', pattern: /^error: /, proves: 'GRUB tells an error' },
  {
    name: 'shim-error',
    failure: 'remark',
    pattern: /^(Failed to (open|load|read)|Unable to fetch TFTP image)/i,
    when: afterNbp,
    proves: 'shim tells what it could not fetch',
  },
];

function tokenFinding(text: string, plan: Plan, observed: Observed): Finding | undefined {
  if (text.trim() !== tokenOf(plan.nonce)) return undefined;
  const last = plan.stagePath.at(-1);
  // The token proves the stage that prints it, and a bare NBP's running is that stage.
  return last && !observed.stages.has(last) ? { stage: last, text: text.trim() } : undefined;
}

const initrdPayloads: readonly Plan['scenario']['payload'][] = ['linux', 'installer'];

/** GRUB and iPXE may start the kernel before their last acknowledgement has left the NIC. */
const initrdRule: Rule<SerialLine> = {
  name: 'initrd-ran',
  proves: 'what printed the token came out of the initrd, which the kernel unpacks only whole',
  match(event, plan, observed) {
    if (!initrdPayloads.includes(plan.scenario.payload) || observed.stages.has('payload-fetch')) return undefined;
    const token = tokenFinding(event.text, plan, observed);
    return token && { ...token, stage: 'payload-fetch' };
  },
};

const tokenRule: Rule<SerialLine> = {
  name: 'token',
  proves: "what runs last printed this run's own nonce",
  match: (event, plan, observed) => tokenFinding(event.text, plan, observed),
};

/** Text without the box that menus and messages draw around it, in whichever character set. */
const withoutFrame = (text: string): string => text.replace(/^[\s|│³]+|[\s|│³]+$/g, '');

const fromRow = (row: SerialRow): Rule<SerialLine> => ({
  name: row.name,
  proves: row.proves,
  match(event, plan, observed) {
    if (!row.pattern.test(event.text) || (event.open && row.failure && !row.prompt)) return undefined;
    if (row.when && !row.when(plan, observed)) return undefined;
    const text = withoutFrame(event.text).slice(0, 300);
    if (row.stage) return { stage: row.stage, text };
    return { failure: true, text, ends: row.failure === 'end' };
  },
});

export const serialRules: readonly Rule<SerialLine>[] = [
  ...deliveryRules,
  initrdRule,
  tokenRule,
  ...serialTable.map(fromRow),
];
