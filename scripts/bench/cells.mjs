// What is booted: one scenario per benchmark, the same for both sides.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expandMatrix } from '../../.build/harness/matrix/expand-matrix.js';
import { parseMatrix } from '../../.build/harness/matrix/parse-matrix.js';
import { tokenPrefix } from '../../.build/harness/model/stages.js';

export const transferBytes = 40_000_000;
export const beginMark = 'bench-begin';
export const endMark = 'bench-end';
/** Followed by the run's nonce; appears nowhere else on the console. */
export const tokenMark = tokenPrefix;

const seabios = {
  ...{ arch: 'x86_64', firmware: 'seabios', machine: 'pc', set: 'bookworm' },
  ...{ nic: 'virtio-net-pci', rom: 'bundled', secondStage: 'none', transport: 'tftp' },
};
/** forky's iPXE looks for autoexec.ipxe by itself; user-mode DHCP has no other way to give it a script. */
const autoexec = {
  text: ['#!ipxe', `echo ${beginMark}`, 'dhcp', `echo ${endMark}`, 'chain tftp://{{server}}/boot.ipxe', ''].join('\n'),
};
const linux = {
  ...{ nic: 'virtio-net-pci', rom: 'none', payload: 'linux', set: 'bookworm', nbpSet: 'forky' },
  serve: { 'autoexec.ipxe': autoexec },
};

function cellOf(name, group) {
  const { cells, excluded } = expandMatrix(parseMatrix({ name: 'bench', groups: [{ name, ...group }] }, 'bench'));
  if (cells.length !== 1) throw new Error(`benchmark ${name}: ${excluded[0]?.reason ?? `${cells.length} cells`}`);
  return cells[0];
}

/** A boot to iPXE, which fetches `url` between two markers on the console. */
export function transferCell(name, transport, url, scratch) {
  const file = join(scratch, 'big');
  writeFileSync(file, Buffer.alloc(transferBytes, 'netboot'));
  const script = [
    '#!ipxe',
    `echo ${beginMark}`,
    `imgfetch ${url}`,
    `echo ${endMark}`,
    // iPXE sends its last acknowledgment of TCP only when it has nothing else to do.
    'sleep 1',
    'set nonce {{nonce}}',
    `echo ${tokenPrefix}\${nonce}`,
    '',
  ].join('\n');
  const serve = { big: { path: file }, 'boot.ipxe': { text: script } };
  return cellOf(name, { ...seabios, transport: { nbp: 'tftp', config: 'tftp', payload: transport }, serve });
}

/** The same with dnsmasq as DHCP and TFTP server, on the guest's network and without the harness. */
export function provisionerCell(scratch) {
  const config = [
    ...['port=0', 'interface={{interface}}', 'bind-interfaces', 'no-ping', 'dhcp-leasefile={{dir}}/leases'],
    ...['dhcp-range=10.0.2.100,10.0.2.200,255.255.255.0', 'dhcp-boot=boot.ipxe', 'enable-tftp', 'tftp-root={{tree}}'],
    // iPXE need not wait for proxyDHCP offers.
    'dhcp-option=encap:175,176,1b',
  ];
  return {
    ...transferCell('provisioner', 'tftp', 'tftp://{{provisioner}}/big', scratch),
    provisioner: {
      command: ['dnsmasq', '--conf-file={{dir}}/dnsmasq.conf', '--no-daemon', '--user=root'],
      files: { 'dnsmasq.conf': { text: config.join('\n') } },
      serves: ['dhcp', 'tftp'],
    },
  };
}

export const scriptCell = () => cellOf('script', seabios);

/** A machine whose early boot costs most of a cell. Cells of any name start from the same template. */
export const templateCell = (name = 'template') =>
  cellOf(name, {
    ...linux,
    serve: undefined,
    payload: 'script',
    arch: 'x86_64',
    firmware: 'ovmf',
    secondStage: 'snponly',
  });

const transport = { nbp: 'tftp', config: 'tftp', payload: 'http' };
export const linuxCells = {
  ovmf: () => cellOf('linux', { ...linux, arch: 'x86_64', firmware: 'ovmf', secondStage: 'snponly', transport }),
  aavmf: () => cellOf('linux', { ...linux, arch: 'aarch64', secondStage: 'ipxe', transport }),
};
