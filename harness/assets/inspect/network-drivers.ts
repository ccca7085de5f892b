/** `nic` drives hardware; `usb` adapters on USB; `snp`, `stack` and `boot` are the layers above, in that order. */
export type NetworkRole = 'nic' | 'usb' | 'snp' | 'stack' | 'boot';

interface NetworkDriver {
  readonly name: RegExp;
  /** edk2's FILE_GUID, which identifies drivers in builds without names. */
  readonly guid?: string;
  readonly role: NetworkRole;
  /** QEMU devices that it drives. */
  readonly nics?: RegExp;
}

/** FILE_GUIDs as read from Debian's OVMF and AAVMF images. */
const table: readonly NetworkDriver[] = [
  { name: /^VirtioNetDxe$/, guid: 'A92CDB4B-82F1-4E0B-A516-8A655D371524', role: 'nic', nics: /^virtio-net/ },
  // Intel's binary driver, which a build may include (E1000_ENABLE); its names over the years.
  { name: /^(E3522X2|GigUndiDxe|E1000|IntelGigabit)/, role: 'nic', nics: /^e1000/ },
  { name: /^(RtkUndiDxe|RealtekUndi)/, role: 'nic', nics: /^rtl8139$/ },
  // QEMU's usb-net is RNDIS and CDC Ethernet in one.
  { name: /^(UsbRndis|UsbCdcEcm|UsbCdcNcm)/, role: 'usb', nics: /^usb-net$/ },
  { name: /^NetworkCommon$/, role: 'usb' },
  { name: /^SnpDxe$/, guid: 'A2F436EA-A127-4EF8-957C-8048606FF670', role: 'snp' },
  { name: /^MnpDxe$/, guid: '025BBFC7-E6A9-4B8B-82AD-6815A1AEAF4A', role: 'stack' },
  { name: /^VlanConfigDxe$/, guid: 'E4F61863-FE2C-4B56-A8F4-08519BC439DF', role: 'stack' },
  { name: /^ArpDxe$/, guid: '529D3F93-E8E9-4E73-B1E1-BDF6A9D50113', role: 'stack' },
  { name: /^Dhcp4Dxe$/, guid: '94734718-0BBC-47FB-96A5-EE7A5AE6A2AD', role: 'stack' },
  { name: /^Ip4Dxe$/, guid: '9FB1A1F3-3B71-4324-B39A-745CBB015FFF', role: 'stack' },
  { name: /^Udp4Dxe$/, guid: '6D6963AB-906D-4A65-A7CA-BD40E5D6AF2B', role: 'stack' },
  { name: /^Mtftp4Dxe$/, guid: 'DC3641B8-2FA8-4ED3-BC1F-F9962A03454B', role: 'stack' },
  { name: /^Dhcp6Dxe$/, guid: '95E3669D-34BE-4775-A651-7EA41B69D89E', role: 'stack' },
  { name: /^Ip6Dxe$/, guid: '5BEDB5CC-D830-4EB2-8742-2D4CC9B54F2C', role: 'stack' },
  { name: /^Udp6Dxe$/, guid: 'D912C7BC-F098-4367-92BA-E911083C7B0E', role: 'stack' },
  { name: /^Mtftp6Dxe$/, guid: '99F03B99-98D8-49DD-A8D3-3219D0FFE41E', role: 'stack' },
  { name: /^TcpDxe$/, guid: '1A7E4468-2F55-4A56-903C-01265EB7622B', role: 'stack' },
  { name: /^DnsDxe$/, guid: 'B219E140-DFFC-11E3-B956-0022681E6906', role: 'stack' },
  { name: /^TlsDxe$/, guid: '3ACEB0C0-3C72-11E4-9A56-74D435052646', role: 'stack' },
  { name: /^HttpDxe$/, guid: '2366C20F-E15A-11E3-8BF1-E4115B28BC50', role: 'stack' },
  { name: /^HttpUtilitiesDxe$/, guid: '22EA234F-E72A-11E4-91F9-28D2447C4829', role: 'stack' },
  { name: /^UefiPxeBcDxe$/, guid: 'B95E9FDA-26DE-48D2-8807-1F9107AC5E3A', role: 'boot' },
  { name: /^HttpBootDxe$/, guid: 'ECEBCB00-D9C8-11E4-AF3D-8CDCD426C973', role: 'boot' },
  { name: /^IScsiDxe$/, guid: '86CDDF93-4872-4597-8AF9-A35AE4D3725F', role: 'boot' },
];

interface Named {
  readonly guid: string;
  readonly name: string | null;
}

const rowOf = ({ guid, name }: Named) => table.find((row) => (name === null ? row.guid === guid : row.name.test(name)));

export function networkRoleOf(driver: Named): NetworkRole | undefined {
  return rowOf(driver)?.role;
}

/** Whether a firmware driver drives this QEMU device. */
export function drivesNic(driver: Named, nic: string): boolean {
  return rowOf(driver)?.nics?.test(nic) ?? false;
}
