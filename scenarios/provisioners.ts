import type { MatrixInput } from 'netboot-harness';
import { aavmfThenIpxe as aavmf, bios, closedPortUrl, ovmf, ovmfThenIpxe, waits } from './bases.ts';

type Groups = MatrixInput['groups'];
type Provisioner = NonNullable<Groups[number]['provisioner']>;
type Program = Extract<Provisioner, { command: string[] }>;
type Services = Program['serves'];

const file = (name: string, lines: readonly string[]) => ({ [name]: { text: `${lines.join('\n')}\n` } });

// dnsmasq: tags by architecture, as its users have them.

function dnsmasq(serves: Services, ...lines: string[]): Program {
  const common = [
    ...['port=0', 'interface={{interface}}', 'bind-interfaces', 'no-ping', 'log-dhcp'],
    ...['dhcp-leasefile={{dir}}/leases', 'enable-tftp', 'tftp-root={{tree}}'],
    // iPXE need not wait for proxyDHCP offers.
    'dhcp-option=encap:175,176,1b',
  ];
  return {
    // In a user namespace there is nobody else to be.
    command: ['dnsmasq', '--conf-file={{dir}}/dnsmasq.conf', '--no-daemon', '--user=root'],
    files: file('dnsmasq.conf', [...common, ...lines]),
    serves,
  };
}

const range = 'dhcp-range=10.0.2.100,10.0.2.200,255.255.255.0';
const isIpxe = 'dhcp-userclass=set:ipxe,iPXE';
const ipxeScript = 'dhcp-boot=tag:ipxe,{{script}}';

const byArchitecture = [
  range,
  isIpxe,
  ipxeScript,
  ...['dhcp-match=set:bios,option:client-arch,0', 'dhcp-boot=tag:!ipxe,tag:bios,undionly.kpxe'],
  ...['dhcp-match=set:x64,option:client-arch,7', 'dhcp-boot=tag:!ipxe,tag:x64,snponly.efi'],
  ...['dhcp-match=set:arm64,option:client-arch,11', 'dhcp-boot=tag:!ipxe,tag:arm64,ipxe-arm64.efi'],
];

const everything = dnsmasq(['dhcp', 'tftp'], ...byArchitecture);

const shared: Program = { ...dnsmasq(['dhcp', 'tftp'], ...byArchitecture, 'tftp-unique-root=mac'), scope: 'group' };

/** UEFI 2.10 §24.7.3.1: the reply says HTTPClient, and the file is a URL. */
const toHttpClients = (url: string) => [
  'dhcp-vendorclass=set:http,HTTPClient',
  'dhcp-option-force=tag:http,60,HTTPClient',
  `dhcp-boot=tag:http,${url}`,
];

const httpBoot = [range, isIpxe, ipxeScript, ...toHttpClients('http://{{server}}/{{nbp}}')];

/** Without addresses, next to the harness's address server (PXE 2.1 §2.2). */
const proxy = dnsmasq(
  ['proxydhcp', 'tftp'],
  // Without a next server in the offer, iPXE asks port 4011 again and again.
  ...['dhcp-range=10.0.2.0,proxy', isIpxe, 'dhcp-boot=tag:ipxe,{{script}},,{{provisioner}}'],
  ...['x86PC', 'X86-64_EFI', 'ARM64_EFI'].map((client) => `pxe-service=tag:!ipxe,${client},Boot,{{nbp}}`),
);

/** IPv4 and router advertisements stay the harness's. */
const dhcpv6 = dnsmasq(
  ['dhcpv6', 'tftp'],
  ...['dhcp-range=fd00::100,fd00::1ff,64', isIpxe],
  'dhcp-option=tag:!ipxe,option6:bootfile-url,tftp://[{{provisioner6}}]/{{nbp}}',
  'dhcp-option=tag:ipxe,option6:bootfile-url,tftp://[{{provisioner6}}]/{{script}}',
);

const withDnsmasq: Groups = [
  {
    name: 'dnsmasq-bios',
    description: "iPXE from the ROM, by dnsmasq's DHCP and TFTP",
    ...bios,
    provisioner: everything,
  },
  { name: 'dnsmasq-uefi', ...ovmf, secondStage: 'snponly', provisioner: everything },
  { name: 'dnsmasq-arm', ...aavmf, provisioner: everything },
  {
    name: 'dnsmasq-linux-bios',
    ...bios,
    secondStage: 'pxelinux',
    payload: 'linux',
    provisioner: dnsmasq(['dhcp', 'tftp'], range, 'dhcp-boot={{nbp}}'),
  },
  { name: 'dnsmasq-linux-arm', ...aavmf, payload: 'linux', provisioner: everything },
  {
    name: 'dnsmasq-grub-uefi',
    ...ovmf,
    secondStage: 'grub',
    payload: 'linux',
    provisioner: dnsmasq(['dhcp', 'tftp'], range, 'dhcp-boot={{nbp}}'),
  },
  {
    name: 'dnsmasq-http-uefi',
    description: "UEFI HTTP boot: dnsmasq names a URL of the harness's server",
    ...ovmf,
    secondStage: 'snponly',
    transport: { nbp: 'http' },
    provisioner: dnsmasq(['dhcp', 'tftp'], ...httpBoot),
  },
  {
    name: 'dnsmasq-http-arm',
    ...aavmf,
    transport: { nbp: 'http' },
    provisioner: dnsmasq(['dhcp', 'tftp'], ...httpBoot),
  },
  { name: 'dnsmasq-ipv6-uefi', ...ovmf, secondStage: 'snponly', ipVersion: 6, provisioner: dhcpv6 },
  {
    name: 'dnsmasq-shared',
    description: 'one dnsmasq for several guests at once: a lease and a folder of files for each',
    ...bios,
    firmware: ['seabios', 'ovmf'],
    nic: ['e1000', 'rtl8139'],
    exclude: [{ when: { firmware: 'ovmf', nic: 'rtl8139' }, reason: 'three guests are enough' }],
    provisioner: shared,
  },
  { name: 'dnsmasq-proxy-bios', ...bios, provisioner: proxy },
  { name: 'dnsmasq-proxy-uefi', ...ovmf, secondStage: 'snponly', provisioner: proxy },
];

// Kea with client classes, tftpd-hpa, nginx.

const keaConfig = {
  Dhcp4: {
    'interfaces-config': { interfaces: ['{{interface}}'] },
    'lease-database': { type: 'memfile', persist: false },
    subnet4: [{ subnet: '10.0.2.0/24', pools: [{ pool: '10.0.2.100 - 10.0.2.200' }] }],
    'next-server': '{{provisioner}}',
    'client-classes': [
      { name: 'ipxe', test: "option[77].hex == 'iPXE'", 'boot-file-name': '{{script}}' },
      {
        name: 'http',
        test: "substring(option[60].hex,0,10) == 'HTTPClient'",
        'option-data': [
          { name: 'vendor-class-identifier', data: 'HTTPClient', 'always-send': true },
          { name: 'boot-file-name', data: 'http://{{provisioner}}/{{nbp}}', 'always-send': true },
        ],
      },
      ...['0x0000', '0x0007', '0x000b'].map((architecture) => ({
        name: `pxe-${architecture}`,
        test: `not member('ipxe') and option[93].hex == ${architecture}`,
        'boot-file-name': '{{nbp}}',
      })),
    ],
    loggers: [{ name: 'kea-dhcp4', output_options: [{ output: 'stdout' }], severity: 'INFO' }],
  },
};

const kea: Program = {
  command: ['kea-dhcp4', '-c', '{{dir}}/kea.json'],
  env: { KEA_PIDFILE_DIR: '{{dir}}', KEA_LOCKFILE_DIR: 'none', KEA_DHCP_DATA_DIR: '{{dir}}' },
  files: { 'kea.json': { text: JSON.stringify(keaConfig, null, 2) } },
  serves: ['dhcp'],
};

const tftpdHpa: Program = {
  command: ['in.tftpd', '--foreground', '--user', 'root', '--address', '0.0.0.0:69', '--secure', '{{tree}}'],
  serves: ['tftp'],
};

const nginx: Program = {
  command: ['nginx', '-e', 'stderr', '-c', '{{dir}}/nginx.conf'],
  files: file('nginx.conf', [
    'daemon off; user root; pid {{dir}}/nginx.pid; error_log stderr;',
    'events {}',
    'http {',
    '  access_log {{dir}}/access.log;',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((use) => `  ${use}_temp_path {{dir}}/${use};`),
    '  default_type application/octet-stream;',
    '  types { application/efi efi; }',
    '  server { listen 80; root {{tree}}; }',
    '}',
  ]),
  serves: ['http'],
};

const keaAndMore = [kea, tftpdHpa, nginx];
const payloadByHttp = { payload: 'linux', transport: { payload: 'http' } } as const;

const withKea: Groups = [
  { name: 'kea-bios', ...bios, provisioner: keaAndMore },
  { name: 'kea-linux-uefi', ...ovmf, secondStage: 'snponly', ...payloadByHttp, provisioner: keaAndMore },
  { name: 'kea-arm', ...aavmf, provisioner: keaAndMore },
  {
    name: 'kea-http-uefi',
    description: 'UEFI HTTP boot by Kea and nginx',
    ...ovmf,
    secondStage: 'snponly',
    transport: { nbp: 'http' },
    provisioner: keaAndMore,
  },
];

// ISC dhcpd and atftpd.

const dhcpd: Program = {
  command: [
    ...['dhcpd', '-4', '-f', '-d', '-user', 'root', '-group', 'root'],
    ...['-cf', '{{dir}}/dhcpd.conf', '-lf', '{{dir}}/dhcpd.leases', '--no-pid', '{{interface}}'],
  ],
  files: {
    ...file('dhcpd.conf', [
      'subnet 10.0.2.0 netmask 255.255.255.0 {',
      '  range 10.0.2.100 10.0.2.200;',
      '  next-server {{provisioner}};',
      '  if exists user-class and option user-class = "iPXE" { filename "{{script}}"; }',
      '  else { filename "{{nbp}}"; }',
      '}',
    ]),
    'dhcpd.leases': { text: '' },
  },
  serves: ['dhcp'],
};

const atftpd: Program = {
  command: [
    ...['atftpd', '--daemon', '--no-fork', '--user', 'root', '--group', 'root'],
    ...['--logfile', '/dev/null', '{{tree}}'],
  ],
  serves: ['tftp'],
};

const withIsc: Groups = [
  { name: 'isc-bios', ...bios, provisioner: [dhcpd, atftpd] },
  { name: 'isc-uefi', ...ovmf, secondStage: 'snponly', provisioner: [dhcpd, atftpd] },
  { name: 'isc-arm', ...aavmf, provisioner: [dhcpd, atftpd] },
];

// Mistakes that users of such servers have reported, and the findings that name them.

const withMistakes: Groups = [
  {
    name: 'server-knows-no-http',
    title: "a server that matches PXE's architectures only: HTTP boot (16) is offered nothing to boot",
    ...ovmfThenIpxe,
    transport: { nbp: 'http' },
    provisioner: everything,
    // It asks for an offer that it can use for a minute (4, 8, 16 and 32 s).
    ...waits,
    expect: {
      stopsAt: 'dhcp',
      failure: 'offer-not-taken',
      reason: 'HTTP boot takes no offer without a URL',
      finding: 'architecture-unanswered',
    },
  },
  {
    name: 'server-gives-x64-to-arm',
    title: 'the file named for Arm is an x64 image',
    ...aavmf,
    serve: { 'ipxe-arm64.efi': { secondStage: 'snponly', set: 'bookworm', arch: 'x86_64' } },
    provisioner: dnsmasq(['dhcp', 'tftp'], ...byArchitecture, ...toHttpClients(closedPortUrl)),
    expect: {
      stopsAt: 'nbp',
      failure: { rule: 'bds-option-failed', says: 'failed to load' },
      reason: 'UEFI loads images of its own machine type only',
      finding: 'nbp-for-other-client',
    },
  },
  {
    name: 'server-without-4011',
    title: 'option 60 PXEClient without option 43: the client turns to port 4011, where nothing answers',
    ...ovmfThenIpxe,
    provisioner: dnsmasq(['dhcp', 'tftp'], range, 'dhcp-option-force=60,PXEClient'),
    expect: {
      stopsAt: 'nbp-fetch',
      failure: { rule: 'pxe-error', says: 'PXE-E16' },
      reason: 'an offer with option 60 and no boot servers is one to be completed on port 4011',
      finding: 'boot-server-silent',
    },
  },
  {
    name: 'server-loops',
    title: 'iPXE is not recognised, and gets itself again',
    ...ovmfThenIpxe,
    provisioner: dnsmasq(['dhcp', 'tftp'], range, 'dhcp-boot={{nbp}}'),
    expect: {
      stopsAt: 'config',
      failure: 'nbp-loop',
      reason: 'each iPXE loads the next one',
      finding: 'nbp-loop',
    },
  },
];

/** Servers of others on the guest's network, in place of the harness's. */
export const provisioners: Groups = [...withDnsmasq, ...withKea, ...withIsc, ...withMistakes];
