import { type FirmwareInterface, ipxeLoaders, type RomKind } from '../model/axes.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import type { Stage } from '../model/stages.ts';

/** Kinds whose image runs under this firmware and leaves evidence: a banner, an iPXE client, or an interface identifier. */
const romsWithEvidence: Record<FirmwareInterface, readonly RomKind[]> = {
  bios: ['bundled', 'bios', 'full', 'combined', 'vendor-pxe'],
  uefi: ['bundled', 'full', 'snp', 'combined', 'app'],
};

/** Whether the option ROM leaves evidence of its own: a vendor's bare SNP driver, or a ROM by path, need not. */
function romLeavesEvidence({ rom, arch }: Scenario, firmware: FirmwareInterface): boolean {
  if (typeof rom === 'object' && 'file' in rom) return false;
  const kind = typeof rom === 'object' ? rom.kind : rom;
  // QEMU's own ROMs are x86: Arm firmware skips them.
  if (kind === 'bundled' && arch !== 'x86_64') return false;
  return romsWithEvidence[firmware].includes(kind);
}

const endings: Record<Scenario['payload'], readonly Stage[]> = {
  script: ['config'],
  linux: ['config', 'payload-fetch', 'kernel', 'userspace'],
  installer: ['config', 'payload-fetch', 'kernel', 'userspace'],
  probe: [],
  iscsi: ['config', 'payload-fetch'],
  disk: ['config', 'disk'],
};

/** The stages this scenario must pass, in order, unless it lists its own. */
export function planStagePath(
  scenario: Scenario,
  { loader, firmware }: Pick<Resolved, 'loader' | 'firmware'>,
): Stage[] {
  if (scenario.stagePath) return [...scenario.stagePath];
  const path: Stage[] = ['firmware'];
  if (romLeavesEvidence(scenario, firmware.interface)) path.push('oprom');
  path.push('dhcp');
  if (loader !== 'none') {
    path.push('nbp-fetch', 'nbp');
    if (ipxeLoaders.includes(loader)) path.push('nbp-dhcp');
  }
  if (loader === 'linux' || loader === 'uki') return [...path, 'kernel', 'userspace'];
  return loader === 'custom' ? path : [...path, ...endings[scenario.payload]];
}
