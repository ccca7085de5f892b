import type { FailureRule } from '../model/failure-rules.ts';
import { beforeKernel, isUefi, type When } from './circumstances.ts';

/** Console text → why the boot goes no further. */
export interface FailureRow {
  rule: FailureRule;
  /**
   * A `remark` may not be final, but the diagnosis quotes it; `end-of-network` is the end of the case unless the machine is
   * to boot from its own disk then.
   */
  means: 'end' | 'end-of-network' | 'remark';
  pattern: RegExp;
  /** A prompt at the cursor: the rest of its line would come only from a user. */
  prompt?: true;
  when: When;
  /** Why the text suffices. */
  proves: string;
}

const uefiFirmware: When = (plan, observed) => isUefi(plan) && beforeKernel(plan, observed);

/**
 * As with stages, a pattern is anchored to the start of a line only if its program breaks the line first; the row says
 * so. A letter of EDK II's shell in front of a boot manager message does occur.
 */
export const failureRows: readonly FailureRow[] = [
  {
    rule: 'seabios-no-boot',
    means: 'end',
    pattern: /No bootable device/,
    when: (plan, observed) => !isUefi(plan) && beforeKernel(plan, observed),
    proves: 'SeaBIOS has tried every boot device',
  },
  {
    rule: 'uefi-shell',
    means: 'end',
    pattern: /UEFI Interactive Shell v/,
    when: uefiFirmware,
    proves: 'EDK II falls to its shell when no boot option worked',
  },
  {
    rule: 'bds-nothing',
    means: 'end',
    pattern: /BdsDxe: No bootable option or device was found/,
    when: uefiFirmware,
    proves: 'EDK II has tried every boot option',
  },
  {
    rule: 'uefi-setup',
    means: 'end',
    pattern: /<Enter>=Select Entry/,
    prompt: true,
    when: uefiFirmware,
    proves: 'EDK II falls to its boot manager menu when a boot option returned and no other worked',
  },
  {
    // On x86 a dump of all registers lies between the first line and the one that names the image.
    rule: 'uefi-exception',
    means: 'end',
    pattern:
      /((Synchronous|IRQ|FIQ|SError) Exception at 0x[0-9A-F]{16}(?![0-9A-F])|!!!! (Find image based on IP\(.*!!!!$|Can't find image information))/,
    when: uefiFirmware,
    proves: "EDK II's exception handler reports, and halts the machine",
  },
  {
    rule: 'secure-boot-refused',
    means: 'end',
    pattern:
      /(Access Denied|Security Violation|Verification failed|bad shim signature|shim_lock protocol not found|prohibited by secure boot policy|ipxe\.org\/7f0481(8f|9a))/i,
    when: (plan, observed) => plan.scenario.secureBoot !== 'off' && uefiFirmware(plan, observed),
    proves:
      "firmware, shim or GRUB names the Secure Boot check that failed, or iPXE's number (0x7f0481) holds the status of a LoadImage() that did: EFI_ACCESS_DENIED (8f), EFI_SECURITY_VIOLATION (9a)",
  },
  {
    rule: 'pxe-error',
    means: 'end-of-network',
    pattern: /PXE-E[0-9A-F]{2}: /,
    when: (plan, observed) => plan.scenario.secureBoot === 'off' && beforeKernel(plan, observed),
    proves: "a PXE client's error code (PXE 2.1 appendix)",
  },
  {
    rule: 'http-boot-error',
    means: 'end-of-network',
    // HttpBootDxe breaks the line before each of its errors; other programs print "Error:" in the middle of lines.
    pattern: /^\s*Error: (Could not|Server response|The URI|Cannot|Invalid|Unexpected|Not)/,
    // IPv4 is tried first, and refused if the case is to boot over IPv6.
    when: (plan, observed) =>
      uefiFirmware(plan, observed) &&
      !observed.stages.has('nbp') &&
      (plan.scenario.ipVersion === 4 || observed.saidIpv6),
    proves: 'UEFI HTTP boot reports why it gave up',
  },
  {
    rule: 'syslinux-no-root',
    means: 'end',
    pattern: /Failed to locate root device to prep for file operations/,
    when: uefiFirmware,
    proves: 'syslinux.efi cannot fetch anything from where it was loaded',
  },
  {
    rule: 'kernel-panic',
    means: 'end',
    pattern: /Kernel panic - not syncing/,
    when: () => true,
    proves: 'the kernel panicked',
  },
  {
    rule: 'ipxe-no-device',
    means: 'end-of-network',
    pattern: /No more network devices/,
    when: beforeKernel,
    proves: 'iPXE has tried every network device',
  },
  {
    rule: 'grub-no-entry',
    means: 'end',
    pattern: /Failed to boot both default and fallback entries/,
    when: beforeKernel,
    proves: 'GRUB has tried every entry of its configuration',
  },
  {
    rule: 'grub-prompt',
    means: 'end',
    pattern: /(Minimal BASH-like line editing|\bgrub(?: rescue)?>\s*$)/,
    prompt: true,
    when: beforeKernel,
    proves: 'GRUB fell to its prompt: no configuration took effect',
  },
  {
    rule: 'shim-gave-up',
    means: 'end',
    pattern: /start_image\(\) returned/,
    when: uefiFirmware,
    proves: 'shim reports what became of its second stage',
  },
  {
    rule: 'pxelinux-no-config',
    means: 'end',
    pattern: /No configuration file found/,
    when: beforeKernel,
    proves: 'every name of the configuration search was refused',
  },
  {
    rule: 'pxelinux-boot-failed',
    means: 'end',
    pattern: /Boot failed: press a key to retry, or wait for reset/,
    when: beforeKernel,
    proves: 'it could not load its library, and waits for a key',
  },
  {
    rule: 'uefi-exception-type',
    means: 'remark',
    pattern: /!!!! \w+ Exception Type - /,
    when: uefiFirmware,
    proves: "the first line of EDK II's dump on x86 names the exception, and its last one the image",
  },
  {
    rule: 'bds-option-failed',
    means: 'remark',
    pattern: /BdsDxe: failed to (load|start) Boot/,
    when: uefiFirmware,
    proves: 'one boot option of several failed',
  },
  {
    rule: 'http-boot-status',
    means: 'remark',
    // HttpBootDxe breaks the line before it.
    pattern: /^\s*(Redirection|Client Error|Server Error): \d{3}/,
    when: uefiFirmware,
    proves: 'UEFI HTTP boot reports the status of the response (RFC 9110 §15)',
  },
  {
    rule: 'ipxe-untrusted',
    means: 'remark',
    pattern: /ipxe\.org\/0216eb/,
    when: beforeKernel,
    proves: 'iPXE found no chain from the certificate to a trusted authority (EACCES_UNTRUSTED)',
  },
  {
    rule: 'ipxe-wrong-name',
    means: 'remark',
    pattern: /ipxe\.org\/0216ea/,
    when: beforeKernel,
    proves: 'iPXE wanted a certificate for the name in the URL (EACCES_WRONG_NAME)',
  },
  {
    rule: 'ipxe-expired',
    means: 'remark',
    pattern: /ipxe\.org\/0216e4/,
    when: beforeKernel,
    proves: 'iPXE checked the dates of the certificate against its clock (EACCES_EXPIRED)',
  },
  {
    rule: 'ipxe-error',
    means: 'remark',
    // The anchor excludes an absent autoexec.ipxe and packet counters, which are no errors.
    pattern: /^(?!.*(?:autoexec\.ipxe|[TR]XE: \d)).*https?:\/\/ipxe\.org\/[0-9a-f]{8}/,
    when: beforeKernel,
    proves: 'iPXE names the error by number',
  },
  {
    rule: 'nothing-sent',
    means: 'remark',
    pattern: /Connection timed out \(https?:\/\/ipxe\.org\/4c[0-9a-f]{6}\)/,
    when: (plan, observed) => beforeKernel(plan, observed) && observed.quietSinceDelivery,
    proves: 'iPXE timed out, but the guest has sent nothing since the previous file: it never asked',
  },
  {
    rule: 'grub-error',
    means: 'remark',
    pattern: /\berror: /,
    when: beforeKernel,
    proves: 'GRUB reports an error',
  },
  {
    rule: 'shim-error',
    means: 'remark',
    pattern: /(Failed to (open|load|read|fetch|receive)|Unable to fetch TFTP image)/i,
    when: (plan, observed) => uefiFirmware(plan, observed) && observed.stages.has('nbp-fetch'),
    proves: 'shim reports what it could not fetch',
  },
];
