import type { Loader } from '../model/axes.ts';
import type { Scenario } from '../model/scenario.ts';
import {
  type BootFileFacts,
  type ConfigFile,
  exitScript,
  grubConfig,
  linuxScript,
  names,
  sanScript,
  syslinuxConfig,
  tokenScript,
  vlanScript,
} from './boot-files.ts';

/** A loader's configuration files in the order they are fetched; none for a bare NBP. */
export interface LoaderConfig {
  files: readonly ConfigFile[];
  /** The file that DHCP names; undefined where the loader finds its configuration itself. */
  byDhcp?: string;
}

export const sanName = 'iqn.2026-01.example.netboot:disk';

function scriptFor(scenario: Scenario, facts: BootFileFacts): string {
  const script = payloadScript(scenario, facts);
  return scenario.vlan === undefined ? script : vlanScript(scenario.vlan, script);
}

function payloadScript({ payload, sanHook }: Scenario, facts: BootFileFacts): string {
  if (payload === 'disk') return exitScript();
  if (payload === 'iscsi') return sanScript(facts, sanName);
  if (payload === 'script' || payload === 'probe') return tokenScript(facts);
  return linuxScript(facts, sanHook ? sanName : undefined);
}

export function planLoaderConfig(scenario: Scenario, loader: Loader, facts: BootFileFacts): LoaderConfig {
  switch (loader) {
    case 'grub':
    case 'shim-grub':
      return { files: grubConfig(facts) };
    case 'pxelinux':
    case 'syslinux':
      return { files: [{ name: 'pxelinux.cfg/default', text: syslinuxConfig(facts) }] };
    case 'linux':
    case 'uki':
    case 'probe':
    case 'custom':
      return { files: [] };
    default:
      return { files: [{ name: names.script, text: scriptFor(scenario, facts) }], byDhcp: names.script };
  }
}
