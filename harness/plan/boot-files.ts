import { type Arch, kernelArgsOf, type Transport } from '../model/axes.ts';
import { tokenPrefix } from '../model/stages.ts';
import type { Transports } from '../model/transports.ts';
import { urlOf } from './url.ts';

/** A loader's configuration as served. */
export interface ConfigFile {
  name: string;
  text: string;
}

/** Names in the served tree. */
export const names = {
  script: 'boot.ipxe',
  grub: 'grub/grub.cfg',
  grubMenu: 'grub/menu.cfg',
  kernel: 'linux',
  initrd: 'initrd.gz',
  overlay: 'init.gz',
} as const;

export interface BootFileFacts {
  arch: Arch;
  nonce: string;
  /** The harness's own server. */
  server: string;
  /** The server behind each fetch. */
  servers: Record<keyof Transports, string>;
  transports: Transports;
  kernelArgs: string;
  /** Names of the initrds, in the order the kernel unpacks them. */
  initrds: readonly string[];
}

function kernelCommandLine({ arch, nonce, kernelArgs }: BootFileFacts): string {
  return [kernelArgsOf[arch], `nbh.nonce=${nonce}`, kernelArgs].filter(Boolean).join(' ');
}

/** An iPXE script that is the end of the path: the token is put together in the guest. */
export function tokenScript({ nonce }: BootFileFacts): string {
  return ['#!ipxe', `set nonce ${nonce}`, `echo ${tokenPrefix}\${nonce}`, ''].join('\n');
}

/** RFC 4173 §5. The target's unit 0 is its controller; the disk is unit 1. */
const sanUrl = (server: string, iqn: string): string =>
  `iscsi:${server.includes(':') ? `[${server}]` : server}:::1:${iqn}`;

/** An iPXE script that boots a kernel, each file by the payload's transport; with `hook`, after attaching a SAN disk. */
export function linuxScript(facts: BootFileFacts, hook?: string): string {
  const url = (name: string): string => urlOf(facts.transports.payload, facts.servers.payload, name);
  return [
    '#!ipxe',
    ...(hook === undefined ? [] : [`sanhook ${sanUrl(facts.server, hook)}`]),
    `kernel ${url(names.kernel)} ${facts.initrds.map((name) => `initrd=${name}`).join(' ')} ${kernelCommandLine(facts)}`,
    ...facts.initrds.map((name) => `initrd ${url(name)}`),
    'boot',
    '',
  ].join('\n');
}

/** An iPXE script that boots from a SAN disk (RFC 4173 root path). */
export function sanScript({ server }: BootFileFacts, iqn: string): string {
  return ['#!ipxe', `sanboot ${sanUrl(server, iqn)}`, ''].join('\n');
}

/** The same script, run in a VLAN once a lease was had there; without its own address net0 is no route any more. */
export function vlanScript(vlan: number, script: string): string {
  const [head, ...rest] = script.split('\n');
  return [head, `vcreate --tag ${vlan} net0`, 'ifclose net0', 'clear net0.dhcp/ip', `dhcp net0-${vlan}`, ...rest].join(
    '\n',
  );
}

/**
 * An iPXE script that hands the boot back. EDK II takes a boot option that returns success as one that the user has left,
 * and opens its menu; after a failure it tries the next one.
 */
export const exitScript = (): string => ['#!ipxe', 'exit 1', ''].join('\n');

/** GRUB's network images have TFTP built in; other modules lie next to the configuration. */
const grubModules = (transport: Transport): string[] => (transport === 'tftp' ? [] : [`insmod ${transport}`]);

const grubRoot = (transport: Transport, server: string): string => `(${transport},${server})`;

/** `timeout=0` and one entry; files by TFTP or HTTP through GRUB's own network devices. */
function grubMenu(facts: BootFileFacts): string {
  const root = grubRoot(facts.transports.payload, facts.servers.payload);
  return [
    ...grubModules(facts.transports.payload),
    'set timeout=0',
    'menuentry "Linux" {',
    `  linux ${root}/${names.kernel} ${kernelCommandLine(facts)}`,
    `  initrd ${facts.initrds.map((name) => `${root}/${name}`).join(' ')}`,
    '}',
    '',
  ].join('\n');
}

/** GRUB looks for grub.cfg where it was loaded from; a menu on another transport is referred to from there. */
export function grubConfig(facts: BootFileFacts): ConfigFile[] {
  const { nbp, config } = facts.transports;
  const menu = grubMenu(facts);
  if (config === nbp) return [{ name: names.grub, text: menu }];
  const pointer = [
    ...grubModules(config),
    `configfile ${grubRoot(config, facts.servers.config)}/${names.grubMenu}`,
    '',
  ];
  return [
    { name: names.grub, text: pointer.join('\n') },
    { name: names.grubMenu, text: menu },
  ];
}

/** pxelinux.cfg: kernel and initrd next to the loader, or by URL. */
export function syslinuxConfig(facts: BootFileFacts): string {
  const name = (file: string): string =>
    facts.transports.payload === 'tftp' ? `/${file}` : urlOf(facts.transports.payload, facts.servers.payload, file);
  return [
    'SERIAL 0',
    'DEFAULT linux',
    'LABEL linux',
    `  KERNEL ${name(names.kernel)}`,
    `  INITRD ${facts.initrds.map(name).join(',')}`,
    `  APPEND ${kernelCommandLine(facts)}`,
    '',
  ].join('\n');
}
