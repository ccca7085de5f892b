import { reachOf } from '../model/reach.ts';
import type { Scenario } from '../model/scenario.ts';
import type { Stage } from '../model/stages.ts';

interface Pause {
  /** Who waits, and for what. */
  who: string;
  /** The longest wait, jitter included. */
  ms: number;
  source: string;
  when?: (scenario: Scenario) => boolean;
}

/**
 * How long firmware and loaders may do nothing at all and still continue: the longest wait of each, on a network that may
 * lose any packet. Neither busy waiting nor countdowns on the console are such pauses.
 */
const knownPauses: readonly Pause[] = [
  { who: "SeaBIOS's boot menu", ms: 2_500, source: 'SeaBIOS src/boot.c, etc/boot-menu-wait' },
  { who: 'AAVMF before it boots', ms: 5_000, source: 'EDK II ArmVirtQemu.dsc, PcdPlatformBootTimeOut' },
  {
    who: 'a PXE client between two DISCOVERs',
    ms: 33_000,
    source: 'PXE 2.1 §2.4.4: 4, 8, 16, 32 s; RFC 2131 §4.1: ±1 s; EDK II PxeBcDhcp4.c, mPxeDhcpTimeout',
  },
  {
    who: 'EDK II between two SOLICITs',
    ms: 35_200,
    source: 'EDK II PxeBcDhcp6.c and HttpBootDhcp6.c, Mrt 32; RFC 8415 §15: ±10 %',
  },
  {
    who: 'EDK II between two INFORMATION-REQUESTs',
    ms: 66_000,
    source: 'EDK II Ip6ConfigImpl.c, Mrt 60; RFC 8415 §15: ±10 %',
    when: ({ ipVersion }) => ipVersion === 6,
  },
  {
    who: 'EDK II after the first OFFER',
    ms: 4_000,
    source: 'measured, 3.9 s: PxeBcDhcp4.c collects them for its first timeout',
  },
  { who: 'EDK II between two TFTP packets', ms: 4_000, source: 'EDK II PxeBcImpl.h, PXEBC_MTFTP_TIMEOUT' },
  { who: 'EDK II for an HTTP response', ms: 5_000, source: 'EDK II HttpBootDxe, HTTP_BOOT_RESPONSE_TIMEOUT' },
  { who: 'iPXE between two DISCOVERs', ms: 11_000, source: 'iPXE config/dhcp.h, DHCP_DISC_END_TIMEOUT_SEC 10' },
  { who: 'iPXE for proxyDHCP offers', ms: 3_000, source: 'iPXE config/dhcp.h, DHCP_DISC_PROXY_TIMEOUT_SEC' },
  { who: 'iPXE between any two packets', ms: 10_000, source: 'iPXE include/ipxe/retry.h, DEFAULT_MAX_TIMEOUT' },
  { who: 'iPXE for a link or an IPv6 router', ms: 16_000, source: 'iPXE usr/ifmgmt.c, LINK_WAIT_TIMEOUT; measured' },
  { who: "iPXE's Ctrl-B banner", ms: 2_000, source: 'iPXE config/general.h, BANNER_TIMEOUT 20' },
  { who: 'GRUB between two packets', ms: 1_200, source: 'GRUB include/grub/net.h, GRUB_NET_INTERVAL 400 + 40 × 20' },
  { who: 'PXELINUX between two packets', ms: 14_200, source: 'Syslinux core/fs/pxe, TimeoutTable (255/18 s)' },
  { who: 'shim before it gives up', ms: 5_000, source: 'shim shim.c, msleep(5000000)' },
];

/** User-supplied parts may wait for as long as they like. */
const isOwn = (scenario: Scenario): boolean =>
  scenario.serve !== undefined || scenario.kernelArgs !== undefined || reachOf(scenario).length > 0;

/** A full operating system may wait for anything. */
const unknownFrom: readonly Stage[] = ['userspace'];

const marginMs = 5_000;

/**
 * How long a guest may be idle while this stage is awaited; after that it is not in any known pause. Undefined where its
 * pauses are unknown. A failed boot starts over with the next boot option, so that any of the pauses may come before any
 * of the stages.
 */
export function restLimitMs(scenario: Scenario, awaited: Stage): number | undefined {
  if (unknownFrom.includes(awaited) || isOwn(scenario)) return undefined;
  const pauses = knownPauses.filter(({ when }) => when === undefined || when(scenario));
  return Math.max(...pauses.map(({ ms }) => ms)) + marginMs;
}
