import { z } from 'zod';

/** Rules that end a boot without saying anything about the guest: they cannot be expected. */
const unexpectable = ['guest-gone'] as const;

/** Rules that recognise one failure each. */
const particular = [
  'bds-nothing',
  'grub-no-entry',
  'grub-prompt',
  'guest-flood',
  'guest-panicked',
  'guest-reset',
  'guest-shutdown',
  'http-cut-short',
  'ipxe-expired',
  'ipxe-untrusted',
  'ipxe-wrong-name',
  'nbp-loop',
  'no-address-offered',
  'nothing-sent',
  'offer-not-taken',
  'pxelinux-boot-failed',
  'pxelinux-no-config',
  'seabios-no-boot',
  'secure-boot-refused',
  'shim-gave-up',
  'silent',
  'syslinux-no-root',
  'tftp-stalled',
  'tls-refused',
  'uefi-setup',
  'uefi-shell',
] as const;

/** Rules that recognise a whole family of failures; what they say shows which one it was. */
const generic = [
  'bds-option-failed',
  'deadline',
  'grub-error',
  'http-boot-error',
  'http-boot-status',
  'ipxe-error',
  'ipxe-no-device',
  'kernel-panic',
  'pxe-error',
  'shim-error',
  'uefi-exception',
  'uefi-exception-type',
] as const;

/** Names of all rules in `observe/` that say why a boot stopped. */
export const failureRules = [...particular, ...generic, ...unexpectable] as const;
export type FailureRule = (typeof failureRules)[number];

export const expectableRuleSchema = z.enum(failureRules).exclude(unexpectable);

const genericRules: readonly FailureRule[] = generic;
export const isGeneric = (rule: FailureRule): boolean => genericRules.includes(rule);
