import type { MatrixInput } from 'netboot-harness';
import { aavmfThenIpxe, ovmfThenIpxe, waits } from './bases.ts';

type Groups = MatrixInput['groups'];
type Expect = NonNullable<Groups[number]['expect']>;

/** The first stage fetches by one transport, the second by another. */
const tftpThenHttp = { nbp: 'tftp', config: 'http', payload: 'http' } as const;
const httpThenTftp = { nbp: 'http', config: 'tftp', payload: 'tftp' } as const;
const httpsThenHttp = { nbp: 'https', config: 'http', payload: 'http' } as const;
const tftpThenHttps = { nbp: 'tftp', config: 'https', payload: 'https' } as const;

/** Firmware that drives virtio-net itself and loads iPXE; a BIOS ROM that is iPXE. */
const ovmf = { ...ovmfThenIpxe, configuration: 6 } as const;
const aavmf = { ...aavmfThenIpxe, configuration: 6 } as const;
const biosRom = {
  arch: 'x86_64',
  firmware: 'seabios',
  set: 'bookworm',
  nic: 'virtio-net-pci',
  rom: 'bundled',
  configuration: 2,
} as const;

type Failure = Extract<Expect, { stopsAt: unknown }>['failure'];

const stops = (stopsAt: 'nbp-fetch' | 'config', failure: Failure, reason: string): Expect => ({
  stopsAt,
  failure,
  reason,
});

const mixed: Groups = [
  {
    ...ovmf,
    name: 'mixed-ovmf',
    description: 'NBP by one transport, script, kernel and initrd by another',
    transport: [tftpThenHttp, httpThenTftp],
    payload: 'linux',
  },
  { ...aavmf, name: 'mixed-aavmf', transport: [tftpThenHttp, httpThenTftp], payload: 'linux' },
  { ...biosRom, name: 'mixed-bios', transport: [{ config: 'http' }, { payload: 'http' }], payload: 'linux' },
  {
    ...biosRom,
    name: 'mixed-undionly',
    description: 'The ROM fetches undionly.kpxe by HTTP, which fetches the rest by TFTP, and the other way round',
    configuration: 1,
    standIn: true,
    secondStage: 'undionly',
    transport: [tftpThenHttp, httpThenTftp],
  },
  {
    ...ovmf,
    name: 'grub-http',
    description: "Debian's signed network GRUB and HTTP",
    secondStage: 'shim-grub',
    transport: httpThenTftp,
    payload: 'linux',
    expect: stops(
      'config',
      'grub-prompt',
      'GRUB looks for its configuration where it was loaded from, and this build contains no HTTP module, only TFTP',
    ),
  },
];

const uefiHttp: Groups = [
  {
    ...ovmf,
    name: 'uefi-http-ovmf',
    description: 'UEFI HTTP boot (client architecture 16)',
    set: 'bookworm',
    transport: 'http',
    payload: 'linux',
  },
  {
    ...aavmf,
    name: 'uefi-http-aavmf',
    description: 'UEFI HTTP boot (client architecture 19)',
    transport: 'http',
    payload: 'linux',
  },
  { ...ovmf, name: 'uefi-http-new-ovmf', set: 'forky', transport: 'http', tags: ['full'] },
  { ...aavmf, name: 'uefi-http-new-aavmf', set: 'forky', transport: 'http', tags: ['full'] },
  {
    ...ovmf,
    name: 'uefi-http-redirect',
    description: 'The NBP has moved: 302 to another name',
    transport: 'http',
    serve: { 'snponly.efi': { redirect: 'moved/snponly.efi' }, 'moved/snponly.efi': { text: 'never asked for' } },
    expect: stops(
      'nbp-fetch',
      { rule: 'http-boot-status', says: '^Redirection: 302 ' },
      'EDK II does not follow redirects: it treats the 302 as a failure to get the size, and ends the boot option',
    ),
  },
  {
    ...ovmf,
    name: 'uefi-http-truncated',
    description: 'Content-Length is that of the whole file, part of it is sent, and the connection is closed',
    transport: 'http',
    serve: { 'snponly.efi': { text: 'an NBP cut short '.repeat(4096), truncateToBytes: 20_000 } },
    expect: stops(
      'nbp-fetch',
      { rule: 'http-cut-short', says: '^/snponly.efi: 20000 of 69632 bytes' },
      'the firmware checks the length, and does not start an incomplete file',
    ),
  },
  {
    ...ovmf,
    name: 'uefi-http-missing',
    transport: 'http',
    boot: [{ name: 'a name that is not served', file: 'http://{{server}}/not-there.efi' }],
    expect: stops('nbp-fetch', { rule: 'http-boot-status', says: '^Client Error: 404 ' }, 'the server answers 404'),
  },
  {
    ...aavmf,
    name: 'uefi-http-missing-arm',
    tags: ['smoke'],
    transport: 'http',
    boot: [{ name: 'a name that is not served', file: 'http://{{server}}/not-there.efi' }],
    expect: stops('nbp-fetch', { rule: 'http-boot-status', says: '^Client Error: 404 ' }, 'the server answers 404'),
  },
];

const edk2Refuses = (shown: string, fault: string): Expect =>
  stops(
    'nbp-fetch',
    { rule: 'tls-refused', says: shown },
    `EDK II abandons the TLS handshake without an alert: the certificate ${fault}`,
  );
const ipxeRefuses = (failure: Failure, fault: string): Expect =>
  stops('config', failure, `iPXE ends the TLS handshake: the certificate ${fault}`);

const https: Groups = [
  {
    ...ovmf,
    name: 'uefi-https-ovmf',
    description: "The run's CA is enrolled through fw_cfg; the firmware fetches the NBP over TLS",
    transport: httpsThenHttp,
  },
  { ...aavmf, name: 'uefi-https-aavmf', tags: ['smoke'], transport: httpsThenHttp },
  { ...ovmf, name: 'uefi-https-new-ovmf', set: 'forky', transport: httpsThenHttp, tags: ['full'] },
  { ...aavmf, name: 'uefi-https-new-aavmf', set: 'forky', transport: 'https' },
  {
    ...ovmf,
    name: 'uefi-https-authority',
    transport: httpsThenHttp,
    certificate: 'wrong-authority',
    expect: edk2Refuses('issued by CN=another authority', 'is from another authority'),
  },
  {
    ...ovmf,
    name: 'uefi-https-name',
    transport: httpsThenHttp,
    certificate: 'wrong-name',
    expect: edk2Refuses('for DNS:elsewhere.example, issued by CN=netboot-harness', 'is for another name'),
  },
  {
    ...ovmf,
    name: 'uefi-https-expired',
    title: "EDK II does not check a certificate's dates: an expired one boots",
    transport: httpsThenHttp,
    certificate: 'expired',
  },
  {
    ...aavmf,
    name: 'ipxe-https',
    description: 'iPXE trusts the CAs enrolled in the firmware (TlsCaCertificate)',
    nbpSet: 'forky',
    transport: tftpThenHttps,
    payload: ['script', 'linux'],
  },
  { ...aavmf, name: 'ipxe-https-trixie', nbpSet: 'trixie', transport: tftpThenHttps, tags: ['full'] },
  { ...ovmf, name: 'ipxe-https-x86', nbpSet: 'forky', transport: tftpThenHttps },
  {
    ...aavmf,
    name: 'ipxe-https-authority',
    transport: tftpThenHttps,
    certificate: 'wrong-authority',
    expect: ipxeRefuses('ipxe-untrusted', 'is from another authority'),
  },
  {
    ...aavmf,
    name: 'ipxe-https-name',
    transport: tftpThenHttps,
    certificate: 'wrong-name',
    expect: ipxeRefuses('ipxe-wrong-name', 'is for another name'),
  },
  {
    ...aavmf,
    name: 'ipxe-https-expired',
    transport: tftpThenHttps,
    certificate: 'expired',
    expect: ipxeRefuses('ipxe-expired', 'has expired'),
  },
  {
    ...biosRom,
    name: 'ipxe-https-bios',
    description: 'BIOS has no way to enrol a CA',
    secondStage: 'undionly',
    configuration: 1,
    standIn: true,
    nbpSet: 'forky',
    transport: tftpThenHttps,
    expect: stops(
      'config',
      'ipxe-untrusted',
      "this build trusts iPXE's own root CA and those it has cross-signed, and cannot be given another",
    ),
  },
  {
    ...biosRom,
    name: 'ipxe-without-https',
    transport: 'https',
    expect: stops(
      'config',
      { rule: 'ipxe-error', says: 'Operation not supported .*ipxe.org/3c092003' },
      'Debian 12 builds iPXE without HTTPS',
    ),
  },
];

const iscsi: Groups = [
  {
    ...biosRom,
    name: 'iscsi-bios',
    tags: ['smoke'],
    description: "sanboot: the disk's boot sector prints the token",
    payload: 'iscsi',
  },
  { ...ovmf, name: 'iscsi-ovmf', description: "sanboot: the disk's EFI application prints it", payload: 'iscsi' },
  { ...aavmf, name: 'iscsi-aavmf', payload: 'iscsi' },
  {
    ...biosRom,
    name: 'iscsi-hook',
    description: 'sanhook attaches the disk, then a kernel is fetched and booted',
    sanHook: true,
    payload: 'linux',
  },
  { ...ovmf, name: 'iscsi-hook-ovmf', sanHook: true, payload: 'linux' },
  { ...aavmf, name: 'iscsi-hook-aavmf', sanHook: true, payload: 'linux' },
];

const noStatelessPxe: Expect = {
  stopsAt: 'dhcp',
  failure: 'no-address-offered',
  reason:
    "EDK II's PXE client solicits an address even if the router advertisement says that DHCPv6 has none (M flag clear), and requests no boot file without one",
};

const slaac = { ipVersion: 6, managedIpv6: false } as const;

const ipv6: Groups = [
  {
    ...biosRom,
    name: 'ipv6-bios',
    tags: [{ tag: 'smoke', when: { transport: 'http' } }],
    ipVersion: 6,
    transport: ['tftp', 'http'],
  },
  { ...biosRom, name: 'ipv6-slaac-bios', ...slaac },
  { ...ovmf, name: 'ipv6-ovmf', ipVersion: 6 },
  { ...aavmf, name: 'ipv6-aavmf', ipVersion: 6 },
  {
    ...ovmf,
    name: 'ipv6-http-ovmf',
    description: 'UEFI HTTP boot over IPv6, all the way to userspace',
    ipVersion: 6,
    transport: 'http',
    payload: 'linux',
  },
  { ...aavmf, name: 'ipv6-http-aavmf', ipVersion: 6, transport: 'http', payload: 'linux' },
  { ...biosRom, name: 'ipv6-linux-bios', ipVersion: 6, transport: 'http', payload: 'linux', tags: ['full'] },
  { ...aavmf, name: 'ipv6-slaac-aavmf', ...slaac, ...waits, expect: noStatelessPxe },
  { ...ovmf, name: 'ipv6-slaac-ovmf', ...slaac, ...waits, expect: noStatelessPxe },
  { ...biosRom, name: 'ipv6-iscsi-bios', ipVersion: 6, payload: 'iscsi' },
  { ...ovmf, name: 'ipv6-iscsi-ovmf', ipVersion: 6, payload: 'iscsi' },
  { ...aavmf, name: 'ipv6-iscsi-aavmf', ipVersion: 6, payload: 'iscsi' },
  {
    ...ovmf,
    name: 'ipv6-https-ovmf',
    description: "The certificate has the server's IPv6 address among its names",
    ipVersion: 6,
    transport: httpsThenHttp,
  },
  { ...aavmf, name: 'ipv6-https-aavmf', ipVersion: 6, transport: httpsThenHttp },
  { ...ovmf, name: 'ipv6-https-new-ovmf', set: 'forky', ipVersion: 6, transport: httpsThenHttp, tags: ['full'] },
  { ...aavmf, name: 'ipv6-https-new-aavmf', set: 'forky', ipVersion: 6, transport: 'https', tags: ['full'] },
  {
    ...ovmf,
    name: 'ipv6-https-name-ovmf',
    ipVersion: 6,
    transport: httpsThenHttp,
    certificate: 'wrong-name',
    expect: edk2Refuses('for DNS:elsewhere.example, issued by CN=netboot-harness', 'is for another name'),
    tags: ['full'],
  },
  {
    ...aavmf,
    name: 'ipv6-https-name-aavmf',
    ipVersion: 6,
    transport: httpsThenHttp,
    certificate: 'wrong-name',
    expect: edk2Refuses('for DNS:elsewhere.example, issued by CN=netboot-harness', 'is for another name'),
  },
  { ...ovmf, name: 'ipv6-ipxe-https-x86', nbpSet: 'forky', ipVersion: 6, transport: tftpThenHttps },
  { ...aavmf, name: 'ipv6-ipxe-https', ipVersion: 6, transport: tftpThenHttps },
  {
    ...aavmf,
    name: 'ipv6-ipxe-https-name',
    ipVersion: 6,
    transport: tftpThenHttps,
    certificate: 'wrong-name',
    expect: ipxeRefuses('ipxe-wrong-name', 'is for another name'),
    tags: ['full'],
  },
];

/** A proxyDHCP offer without option 43 names no file: the client asks on port 4011 (BINL). */
const binl = (nbp: string) => [
  { name: 'second stage → script', when: { userClass: 'iPXE', served: [nbp] }, file: 'boot.ipxe' },
  {
    name: 'first stage → 4011',
    file: nbp,
    options: [{ code: 43, op: 'withhold' as const, on: ['offer' as const] }],
  },
];

const proxyDhcp: Groups = [
  {
    ...biosRom,
    name: 'proxy-bios',
    tags: [{ tag: 'smoke', when: { ipVersion: 4 } }],
    description: 'A DHCP server that only assigns addresses, and a proxyDHCP server with the boot information',
    proxyDhcp: true,
    ipVersion: [4, 6],
  },
  { ...ovmf, name: 'proxy-ovmf', proxyDhcp: true, ipVersion: [4, 6] },
  { ...aavmf, name: 'proxy-aavmf', proxyDhcp: true, ipVersion: [4, 6] },
  {
    ...ovmf,
    name: 'proxy-http-ovmf',
    description: 'A proxyDHCP server that offers UEFI HTTP boot',
    proxyDhcp: true,
    transport: 'http',
    tags: ['full'],
  },
  { ...aavmf, name: 'proxy-http-aavmf', proxyDhcp: true, transport: 'http', tags: ['full'] },
  {
    ...biosRom,
    name: 'binl-bios',
    description: 'The proxy names no file: the client asks for it on port 4011',
    proxyDhcp: true,
    boot: [{ name: 'ROM → 4011', file: 'boot.ipxe', options: [{ code: 43, op: 'withhold', on: ['offer'] }] }],
  },
  { ...ovmf, name: 'binl-ovmf', proxyDhcp: true, boot: binl('snponly.efi') },
  { ...aavmf, name: 'binl-aavmf', proxyDhcp: true, boot: binl('ipxe-arm64.efi') },
];

const byNfs = { config: 'nfs', payload: 'nfs' } as const;

const onlySnp = stops(
  'nbp-fetch',
  { rule: 'pxe-error', says: '^PXE-E23: ' },
  "this build's EFI option ROM is iPXE cut down to an SNP driver, without NFS: the firmware takes the URL for a TFTP file name",
);

/**
 * All full iPXE builds of Debian 12, 13 and testing have NFS 3: BIOS ROMs, undionly.kpxe, snponly.efi, ipxe.efi and its
 * arm64 build, and Debian 12's EFI ROMs. The EFI ROMs of Debian 13 and testing are SNP drivers and have none. EDK II
 * (MTFTP, HTTP, iSCSI), GRUB (TFTP, HTTP) and syslinux.efi have no NFS; pxelinux has that of the iPXE below it.
 * None of them supports NBD: no such scheme in iPXE, driver in EDK II, protocol in GRUB or syslinux. A root file system
 * over NFS or NBD is mounted by an initrd, after the network boot is over.
 */
const nfs: Groups = [
  {
    ...biosRom,
    name: 'nfs-bios',
    tags: ['smoke'],
    description: "iPXE's own NFS 3 client: port mapper, MOUNT, READ",
    transport: byNfs,
  },
  { ...ovmf, name: 'nfs-ovmf', transport: byNfs, payload: 'linux' },
  { ...aavmf, name: 'nfs-aavmf', transport: byNfs },
  {
    ...ovmf,
    name: 'nfs-snp-rom',
    set: 'forky',
    nic: 'e1000',
    rom: 'bundled',
    configuration: 5,
    transport: 'nfs',
    expect: onlySnp,
  },
  {
    ...ovmf,
    name: 'nfs-snp-rom-trixie',
    nic: 'e1000',
    rom: { kind: 'bundled', set: 'trixie' },
    configuration: 5,
    transport: 'nfs',
    expect: onlySnp,
    tags: ['full'],
  },
  { ...biosRom, name: 'nfs-linux-bios', transport: byNfs, payload: 'linux', tags: ['full'] },
  { ...aavmf, name: 'nfs-linux-aavmf', transport: byNfs, payload: 'linux', tags: ['full'] },
  {
    ...biosRom,
    name: 'nfs-undionly',
    description: 'The ROM fetches undionly.kpxe by NFS, which fetches the rest by NFS too',
    secondStage: 'undionly',
    configuration: 1,
    standIn: true,
    transport: 'nfs',
    tags: ['full'],
  },
  {
    ...ovmf,
    name: 'nfs-uefi-rom',
    description: "Debian 12's EFI ROM is a full iPXE, and fetches snponly.efi by NFS",
    nic: 'e1000',
    rom: 'bundled',
    configuration: 4,
    transport: 'nfs',
    tags: ['full'],
  },
  {
    ...biosRom,
    name: 'nfs-pxelinux',
    description: 'pxelinux opens nfs:// through the iPXE that loaded it',
    secondStage: 'pxelinux',
    configuration: 1,
    standIn: true,
    transport: { payload: 'nfs' },
    payload: 'linux',
    tags: ['full'],
  },
  { ...biosRom, name: 'nfs-rom-trixie', set: 'trixie', transport: byNfs, tags: ['full'] },
  { ...biosRom, name: 'nfs-rom-forky', set: 'forky', transport: byNfs, tags: ['full'] },
  ...(['trixie', 'forky'] as const).flatMap(
    (nbpSet): Groups => [
      {
        ...biosRom,
        name: `nfs-undionly-${nbpSet}`,
        nbpSet,
        secondStage: 'undionly',
        configuration: 1,
        standIn: true,
        transport: byNfs,
        tags: ['full'],
      },
      {
        ...ovmf,
        name: `nfs-x86-${nbpSet}`,
        nbpSet,
        secondStage: ['snponly', 'ipxe'],
        transport: byNfs,
        tags: ['full'],
      },
    ],
  ),
  { ...ovmf, name: 'nfs-x86-ipxe', secondStage: 'ipxe', transport: byNfs, tags: ['full'] },
  { ...aavmf, name: 'nfs-aavmf-trixie', nbpSet: 'trixie', transport: byNfs, tags: ['full'] },
  { ...biosRom, name: 'nfs-ipv6-bios', ipVersion: 6, transport: byNfs },
  { ...ovmf, name: 'nfs-ipv6-ovmf', ipVersion: 6, transport: byNfs, tags: ['full'] },
  { ...aavmf, name: 'nfs-ipv6-aavmf', ipVersion: 6, transport: byNfs, tags: ['full'] },
];

/** iPXE has made VLAN devices in Debian's builds since 13; its first script comes untagged. */
const vlan: Groups = [
  {
    ...biosRom,
    name: 'vlan-bios',
    description: "iPXE's script makes a VLAN device (vcreate), and the rest of the boot comes over it",
    set: 'forky',
    vlan: 42,
  },
  {
    ...ovmf,
    name: 'vlan-ovmf',
    nbpSet: 'forky',
    vlan: 42,
    transport: { config: 'tftp', payload: 'http' },
    payload: 'linux',
  },
  { ...aavmf, name: 'vlan-aavmf', vlan: 42 },
];

export const transports: Groups = [...mixed, ...vlan, ...uefiHttp, ...https, ...iscsi, ...ipv6, ...proxyDhcp, ...nfs];
