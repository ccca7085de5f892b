import type { MatrixInput } from 'netboot-harness';
import { aavmfThenIpxe as arm, bios, ovmfThenIpxe as x64 } from './bases.ts';

type Groups = MatrixInput['groups'];

const overHttp = { transport: { nbp: 'http' } } as const;

/** One guest for each kind of client that a server meets. */
export const serverClients: Groups = [
  { name: 'bios-ipxe-rom', title: 'BIOS, iPXE from the ROM', ...bios },
  { name: 'uefi-ipxe-rom', title: 'x64 UEFI, iPXE from the ROM', ...bios, firmware: 'ovmf' },
  { name: 'uefi-pxe', title: 'x64 UEFI, PXE, then iPXE', ...x64 },
  { name: 'uefi-http', title: 'x64 UEFI, HTTP boot, then iPXE', ...x64, ...overHttp },
  { name: 'arm-pxe', title: 'ARM 64-bit UEFI, PXE, then iPXE', ...arm },
  { name: 'arm-http', title: 'ARM 64-bit UEFI, HTTP boot, then iPXE', ...arm, ...overHttp },
];

/** The same over IPv6, for a server that has DHCPv6. */
export const serverClients6: Groups = [
  { name: 'uefi-pxe-6', title: 'x64 UEFI, PXE over IPv6, then iPXE', ...x64, ipVersion: 6 },
  { name: 'uefi-http-6', title: 'x64 UEFI, HTTP boot over IPv6, then iPXE', ...x64, ...overHttp, ipVersion: 6 },
  { name: 'arm-pxe-6', title: 'ARM 64-bit UEFI, PXE over IPv6, then iPXE', ...arm, ipVersion: 6 },
  { name: 'arm-http-6', title: 'ARM 64-bit UEFI, HTTP boot over IPv6, then iPXE', ...arm, ...overHttp, ipVersion: 6 },
];
