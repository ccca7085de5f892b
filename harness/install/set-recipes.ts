const uefiX86 = ['usr/share/OVMF/OVMF_*_4M*.fd', 'usr/share/ovmf/PkKek-1-snakeoil.*'];
const uefiArm = ['usr/share/AAVMF/AAVMF_*.fd', 'usr/share/qemu-efi-aarch64/PkKek-1-snakeoil.*'];
const ipxe = ['usr/lib/ipxe/*.efi', 'usr/lib/ipxe/*.kpxe', 'usr/lib/ipxe/*.pxe'];
const seabios = ['usr/share/seabios/bios-256k.bin'];
const ukiStub = (arch: string) => `usr/lib/systemd/boot/efi/linux${arch}.efi.stub`;
/** The network image, and a module it can load but does not contain. */
const grub = (platform: string, image: string) => [
  `usr/lib/grub/${platform}/monolithic/${image}`,
  `usr/lib/grub/${platform}/http.mod`,
];
const installer = (arch: string) => {
  const folder = `usr/lib/debian-installer/images/12/${arch}/text/debian-installer/${arch}`;
  return [`${folder}/linux`, `${folder}/initrd.gz`] as const;
};

/** Debian's name for this machine's architecture. */
export const hostArch: string = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;

/** Patterns of wanted files, by `name[:arch]`; `*` stands for any text, slashes included. */
export type Wanted = Readonly<Record<string, readonly string[]>>;

const libraries = (...names: string[]): Wanted =>
  Object.fromEntries(names.map((name) => [`${name}:${hostArch}`, ['*.so*']]));

/**
 * A server to test, or what one needs. Not installed: the packages would start services that listen on all addresses.
 * Libraries are those that a small machine lacks.
 */
const server = (name: string, program: string, unpacked: Wanted): SetRecipe => ({
  name,
  suite: 'bookworm',
  program,
  installed: {},
  unpacked,
});

const servers: readonly SetRecipe[] = [
  server('dnsmasq', 'usr/sbin/dnsmasq', {
    [`dnsmasq-base:${hostArch}`]: ['usr/sbin/dnsmasq'],
    ...libraries('libnetfilter-conntrack3', 'libnftables1', 'libnfnetlink0', 'libnftnl11', 'libmnl0', 'libjansson4'),
    ...libraries('libxtables12'),
  }),
  server('kea', 'usr/sbin/kea-dhcp4', {
    [`kea-dhcp4-server:${hostArch}`]: ['usr/sbin/kea-dhcp4'],
    [`kea-common:${hostArch}`]: ['*.so*'],
    ...libraries('liblog4cplus-2.0.5', 'libmariadb3', 'libpq5'),
  }),
  server('isc-dhcp-server', 'usr/sbin/dhcpd', { [`isc-dhcp-server:${hostArch}`]: ['usr/sbin/dhcpd'] }),
  server('tftpd-hpa', 'usr/sbin/in.tftpd', {
    [`tftpd-hpa:${hostArch}`]: ['usr/sbin/in.tftpd'],
    ...libraries('libwrap0'),
  }),
  server('atftpd', 'usr/sbin/atftpd', {
    [`atftpd:${hostArch}`]: ['usr/sbin/atftpd'],
    ...libraries('libwrap0', 'libpcre2-8-0'),
  }),
  server('nginx', 'usr/sbin/nginx', {
    [`nginx:${hostArch}`]: ['usr/sbin/nginx'],
    ...libraries('libpcre2-8-0'),
  }),
  // For users who cannot open /dev/net/tun.
  server('packet-socket', 'usr/bin/socat', {
    [`socat:${hostArch}`]: ['usr/bin/socat'],
    [`ethtool:${hostArch}`]: ['*sbin/ethtool'],
    ...libraries('libwrap0', 'libmnl0'),
  }),
];

/**
 * Which packages make up a set and which of their files are wanted. `installed` ones are those of the machine if it runs
 * that suite and has them. Boot loaders are unpacked, never installed: installing their packages writes to the machine's
 * own boot partition.
 */
export interface SetRecipe {
  readonly name: string;
  /** Where it differs from the name. */
  readonly suite?: string;
  /** No set but a program to run from the cache, with its libraries; made for Debian. */
  readonly program?: string;
  readonly installed: Wanted;
  readonly unpacked: Wanted;
}

export const setRecipes: readonly SetRecipe[] = [
  {
    name: 'bookworm',
    installed: { ovmf: uefiX86, 'qemu-efi-aarch64': uefiArm, seabios, ipxe, 'ipxe-qemu': ['usr/lib/ipxe/qemu/*.rom'] },
    unpacked: {
      'shim-signed:amd64': ['usr/lib/shim/*.signed'],
      'shim-helpers-amd64-signed:amd64': ['usr/lib/shim/*.signed'],
      'grub-efi-amd64-signed:amd64': ['usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed'],
      'grub-efi-amd64-bin:amd64': grub('x86_64-efi', 'grubnetx64.efi'),
      'shim-signed:arm64': ['usr/lib/shim/*.signed'],
      'shim-helpers-arm64-signed:arm64': ['usr/lib/shim/*.signed'],
      'grub-efi-arm64-signed:arm64': ['usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed'],
      'grub-efi-arm64-bin:arm64': grub('arm64-efi', 'grubnetaa64.efi'),
      'systemd-boot-efi:amd64': [ukiStub('x64')],
      'systemd-boot-efi:arm64': [ukiStub('aa64')],
      pxelinux: ['usr/lib/PXELINUX/*pxelinux.0'],
      'syslinux-common': ['usr/lib/syslinux/modules/bios/l*.c32', 'usr/lib/syslinux/modules/efi64/l*.[ce][36][24]'],
      'syslinux-efi': ['usr/lib/SYSLINUX.EFI/efi64/syslinux.efi'],
      'debian-installer-12-netboot-amd64': installer('amd64'),
      'debian-installer-12-netboot-arm64': installer('arm64'),
    },
  },
  {
    name: 'trixie',
    installed: {},
    unpacked: { ovmf: uefiX86, 'qemu-efi-aarch64': uefiArm, seabios, ipxe, 'ipxe-qemu': ['usr/share/qemu/*.rom'] },
  },
  {
    name: 'forky',
    installed: {},
    // There ovmf is an empty metapackage.
    unpacked: {
      'ovmf-generic': uefiX86,
      'qemu-efi-aarch64': uefiArm,
      seabios,
      ipxe,
      'ipxe-qemu': ['usr/share/qemu/*.rom'],
    },
  },
  {
    // In addition to the machine's own QEMU, whose package brings the libraries for this one too.
    name: 'qemu-10',
    suite: 'bookworm-backports',
    program: 'usr/bin/qemu-system-x86_64',
    installed: {},
    unpacked: {
      [`qemu-system-x86:${hostArch}`]: ['usr/bin/qemu-system-x86_64'],
      [`qemu-system-arm:${hostArch}`]: ['usr/bin/qemu-system-aarch64'],
      'qemu-system-data': ['usr/share/qemu/*'],
      // QEMU aborts on modules of another build, which the host may have of these packages.
      ...Object.fromEntries(
        ['common', 'gui', 'modules-opengl', 'modules-spice'].map((name) => [
          `qemu-system-${name}:${hostArch}`,
          ['usr/lib/*/qemu/*.so'],
        ]),
      ),
    },
  },
  {
    // Not installed: the package would start a service that listens on all addresses.
    name: 'tgt',
    suite: 'bookworm',
    program: 'usr/sbin/tgtd',
    installed: {},
    unpacked: {
      [`tgt:${hostArch}`]: ['usr/sbin/tgt*'],
      ...Object.fromEntries(
        ['libaio1', 'libibverbs1', 'librdmacm1', 'libnl-3-200', 'libnl-route-3-200'].map((name) => [
          `${name}:${hostArch}`,
          ['*.so*'],
        ]),
      ),
    },
  },
  ...servers,
];

/** Programs that only tests need. */
export const testRecipes: readonly SetRecipe[] = [
  server('redis', 'usr/bin/redis-server', {
    // A link to the program that is in the other package.
    [`redis-server:${hostArch}`]: ['usr/bin/redis-server'],
    [`redis-tools:${hostArch}`]: ['usr/bin/redis-check-rdb'],
    ...libraries('libjemalloc2', 'liblzf1', 'libatomic1'),
  }),
];

/** A file or several, by path in the package; a set gets those rows whose files it has. */
interface Row {
  readonly packages: readonly string[];
}

export interface FirmwareRow extends Row {
  readonly firmware: string;
  readonly arch: string;
  readonly code: string;
  readonly vars?: string;
  readonly secureBoot?: string;
  readonly smm?: boolean;
  readonly machines?: readonly string[];
}

export interface NbpRow extends Row {
  readonly secondStage: string;
  readonly arch: string;
  readonly bios?: true;
  readonly path: string;
  readonly companions?: Readonly<Record<string, string>>;
}

export interface KernelRow extends Row {
  readonly arch: string;
  readonly kernel: string;
  readonly initrd: string;
}

interface UefiBuild extends Row {
  readonly firmware: string;
  readonly arch: string;
  /** `*` stands for CODE and VARS. */
  readonly stem: string;
  readonly smm: boolean;
  readonly machines: readonly string[];
}

const uefi = ({ firmware, arch, stem, packages, smm, machines }: UefiBuild): FirmwareRow[] =>
  [
    { secureBoot: 'off', suffix: '' },
    { secureBoot: 'microsoft', suffix: '.ms' },
    { secureBoot: 'snakeoil', suffix: '.snakeoil' },
  ].map(({ secureBoot, suffix }) => ({
    firmware,
    arch,
    code: stem.replace('*', 'CODE').replace('.fd', `${suffix}.fd`),
    vars: stem.replace('*', 'VARS').replace('.fd', `${suffix}.fd`),
    secureBoot,
    smm: smm && secureBoot !== 'off',
    machines: secureBoot !== 'off' && smm ? ['q35', 'pc-q35-*'] : machines,
    packages,
  }));

const modules = 'usr/lib/syslinux/modules';
const shim = 'usr/lib/shim';

/** Every row a set's manifest may have; a set gets those whose files it has, with the first of `packages` it has. */
export const manifestRows: {
  readonly firmware: readonly FirmwareRow[];
  readonly nbps: readonly NbpRow[];
  readonly kernels: readonly KernelRow[];
  readonly bundledRoms: readonly string[];
} = {
  firmware: [
    { firmware: 'seabios', arch: 'x86_64', code: 'usr/share/seabios/bios-256k.bin', packages: ['seabios'] },
    ...uefi({
      firmware: 'ovmf',
      arch: 'x86_64',
      stem: 'usr/share/OVMF/OVMF_*_4M.fd',
      smm: true,
      machines: ['pc', 'q35', 'pc-*'],
      packages: ['ovmf', 'ovmf-generic'],
    }),
    ...uefi({
      firmware: 'aavmf',
      arch: 'aarch64',
      stem: 'usr/share/AAVMF/AAVMF_*.fd',
      smm: false,
      machines: ['virt', 'virt-*'],
      packages: ['qemu-efi-aarch64'],
    }),
  ],
  nbps: [
    { secondStage: 'undionly', arch: 'x86_64', bios: true, path: 'usr/lib/ipxe/undionly.kpxe', packages: ['ipxe'] },
    { secondStage: 'ipxe', arch: 'x86_64', bios: true, path: 'usr/lib/ipxe/ipxe.pxe', packages: ['ipxe'] },
    { secondStage: 'snponly', arch: 'x86_64', path: 'usr/lib/ipxe/snponly.efi', packages: ['ipxe'] },
    { secondStage: 'ipxe', arch: 'x86_64', path: 'usr/lib/ipxe/ipxe.efi', packages: ['ipxe'] },
    { secondStage: 'ipxe', arch: 'aarch64', path: 'usr/lib/ipxe/ipxe-arm64.efi', packages: ['ipxe'] },
    {
      secondStage: 'shim-grub',
      arch: 'x86_64',
      path: `${shim}/shimx64.efi.signed`,
      companions: {
        'grubx64.efi': 'usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed',
        'mmx64.efi': `${shim}/mmx64.efi.signed`,
      },
      packages: ['shim-signed:amd64'],
    },
    {
      secondStage: 'shim-grub',
      arch: 'aarch64',
      path: `${shim}/shimaa64.efi.signed`,
      companions: {
        'grubaa64.efi': 'usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed',
        'mmaa64.efi': `${shim}/mmaa64.efi.signed`,
      },
      packages: ['shim-signed:arm64'],
    },
    {
      secondStage: 'grub',
      arch: 'x86_64',
      path: 'usr/lib/grub/x86_64-efi/monolithic/grubnetx64.efi',
      companions: { 'grub/x86_64-efi/http.mod': 'usr/lib/grub/x86_64-efi/http.mod' },
      packages: ['grub-efi-amd64-bin:amd64'],
    },
    {
      secondStage: 'grub',
      arch: 'aarch64',
      path: 'usr/lib/grub/arm64-efi/monolithic/grubnetaa64.efi',
      companions: { 'grub/arm64-efi/http.mod': 'usr/lib/grub/arm64-efi/http.mod' },
      packages: ['grub-efi-arm64-bin:arm64'],
    },
    { secondStage: 'uki', arch: 'x86_64', path: ukiStub('x64'), packages: ['systemd-boot-efi:amd64'] },
    { secondStage: 'uki', arch: 'aarch64', path: ukiStub('aa64'), packages: ['systemd-boot-efi:arm64'] },
    {
      secondStage: 'pxelinux',
      arch: 'x86_64',
      bios: true,
      path: 'usr/lib/PXELINUX/pxelinux.0',
      companions: { 'ldlinux.c32': `${modules}/bios/ldlinux.c32` },
      packages: ['pxelinux'],
    },
    {
      secondStage: 'syslinux',
      arch: 'x86_64',
      path: 'usr/lib/SYSLINUX.EFI/efi64/syslinux.efi',
      companions: { 'ldlinux.e64': `${modules}/efi64/ldlinux.e64` },
      packages: ['syslinux-efi'],
    },
  ],
  kernels: [
    { arch: 'x86_64', debian: 'amd64' },
    { arch: 'aarch64', debian: 'arm64' },
  ].map(({ arch, debian }) => ({
    arch,
    kernel: installer(debian)[0],
    initrd: installer(debian)[1],
    packages: [`debian-installer-12-netboot-${debian}`],
  })),
  bundledRoms: ['usr/lib/ipxe/qemu', 'usr/share/qemu'],
};
