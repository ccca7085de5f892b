import type { Plan } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import type { Stage } from '../model/stages.ts';

const ipxeLoaders: readonly Plan['loader'][] = ['undionly', 'snponly', 'ipxe'];

/**
 * Whether the option ROM leaves evidence of its own: a banner, or a network interface identifier that the
 * firmware's built-in drivers do not have. A bare SNP driver in a vendor's way has neither.
 */
const tellingRoms: readonly Scenario['rom'][] = ['bundled', 'bios', 'full', 'snp', 'combined'];

function romTells({ rom, firmware }: Scenario): boolean {
  if (typeof rom === 'object' && 'kind' in rom) return tellingRoms.includes(rom.kind);
  if (rom === 'vendor-pxe') return firmware === 'seabios';
  return tellingRoms.includes(rom);
}

const endings: Record<Scenario['payload'], readonly Stage[]> = {
  script: ['config'],
  linux: ['config', 'payload-fetch', 'kernel', 'userspace'],
  installer: ['config', 'payload-fetch', 'kernel', 'userspace'],
  probe: [],
  iscsi: ['config', 'payload-fetch'],
};

/** The stages this scenario must pass, in order, unless it says so itself. */
export function planStagePath(scenario: Scenario, loader: Plan['loader']): Stage[] {
  if (scenario.stagePath) return [...scenario.stagePath];
  const path: Stage[] = ['firmware'];
  if (romTells(scenario)) path.push('oprom');
  path.push('dhcp');
  if (loader !== 'none') {
    path.push('nbp-fetch', 'nbp');
    if (ipxeLoaders.includes(loader)) path.push('nbp-dhcp');
  }
  if (loader === 'linux') return [...path, 'kernel', 'userspace'];
  return loader === 'custom' ? path : [...path, ...endings[scenario.payload]];
}
