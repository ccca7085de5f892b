import { z } from 'zod';

/** The stages of a network boot, in order. A scenario's stage path is the subset it must pass. */
export const stages = [
  'firmware',
  'oprom',
  'dhcp',
  'nbp-fetch',
  'nbp',
  'nbp-dhcp',
  'config',
  'payload-fetch',
  'disk',
  'kernel',
  'userspace',
] as const;
export type Stage = (typeof stages)[number];
export const stageSchema = z.enum(stages);
/** A boot that stops at one of these has fetched nothing. */
export const beforeFetch: readonly Stage[] = stages.slice(0, stages.indexOf('nbp-fetch'));

/** What each stage claims, for `--help`, reports and README. */
export const stageMeanings: Record<Stage, string> = {
  firmware: 'the platform firmware ran',
  oprom: "the NIC's option ROM ran",
  dhcp: 'a lease was completed on the wire by the first stage',
  'nbp-fetch': 'the network boot program was delivered whole',
  nbp: 'the network boot program ran',
  'nbp-dhcp': 'the second stage completed a lease of its own',
  config: "the loader's configuration was delivered whole and took effect",
  'payload-fetch': 'kernel and initrd (or disk) were delivered whole',
  disk: "the machine's own disk booted",
  kernel: 'the operating system kernel ran',
  userspace: 'userspace ran',
};

/**
 * The last stage of every path is proven by this line on the serial console. What runs in the guest builds
 * it from the nonce, so that no served text or kernel command line contains it.
 */
export const tokenPrefix = 'netboot-ok:';
export function tokenOf(nonce: string): string {
  return `${tokenPrefix}${nonce}`;
}
