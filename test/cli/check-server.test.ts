import { expect, it } from 'vitest';
import { checkMatrix } from '../../harness/cli/check-matrix.ts';
import { serverAccount } from '../../harness/judge/server/account.ts';
import { programsOf } from '../../harness/model/provisioner.ts';
import { recordedServer } from '../judge/recorded-server.ts';
import { netboot } from './netboot.ts';

const groupsOf = (...serves: string[]): string[] =>
  checkMatrix({ command: 'dnsmasq  --no-daemon', files: ['etc/dnsmasq.conf'], serves }).groups.map(({ name }) => name);

it('has a client of each kind, over IPv6 for a server that has it', () => {
  const v4 = ['bios-ipxe-rom', 'uefi-ipxe-rom', 'uefi-pxe', 'uefi-http', 'arm-pxe', 'arm-http'];
  const v6 = ['uefi-pxe-6', 'uefi-http-6', 'arm-pxe-6', 'arm-http-6'];
  expect(groupsOf('dhcp', 'tftp')).toEqual(v4);
  expect(groupsOf('dhcpv6')).toEqual(v6);
  expect(groupsOf('dhcp', 'dhcpv6')).toEqual([...v4, ...v6]);
});

it('asks a server that has both families over IPv6 alone for the clients that boot over IPv6', () => {
  const serves = ['dhcp', 'dhcpv6', 'tftp'];
  const { groups } = checkMatrix({ command: 'dnsmasq', files: [], serves });
  const served = ({ provisioner }: (typeof groups)[number]) =>
    programsOf(provisioner ?? []).flatMap((one) => one.serves);
  for (const group of groups) {
    expect(served(group)).toEqual(group.ipVersion === 6 ? ['dhcpv6', 'tftp'] : serves);
  }
});

it('runs the server as given, with its files, and is strict', () => {
  const { groups } = checkMatrix({ command: 'dnsmasq  --no-daemon', files: ['etc/dnsmasq.conf'], serves: ['dhcp'] });
  expect(groups[0]).toMatchObject({
    strictServer: true,
    provisioner: {
      command: ['dnsmasq', '--no-daemon'],
      files: { 'dnsmasq.conf': { path: expect.stringMatching(/^\/.*\/etc\/dnsmasq\.conf$/) } },
      serves: ['dhcp'],
    },
  });
});

it.each([
  [['dhpc'], '--serves: expected some of dhcp, proxydhcp'],
  [['tftp'], '--serves: expected dhcp, proxydhcp or dhcpv6 among them'],
])('refuses to serve %j', (serves, message) => {
  expect(() => groupsOf(...serves)).toThrow(message);
});

it('says what was offered and what was loaded', () => {
  const accountOf = (name: string) => {
    const { plan, events } = recordedServer(name);
    return serverAccount(plan, events);
  };
  expect(accountOf('pxe')).toEqual({ offered: ['snponly.efi', 'boot.ipxe'], loaded: ['snponly.efi', 'boot.ipxe'] });
  expect(accountOf('option-60')).toEqual({ offered: ['http://10.0.2.3/snponly.efi'], loaded: [] });
  // What the harness offers over IPv4 is not the server’s.
  expect(accountOf('option-16')).toEqual({ offered: ['http://[fd00::2]/snponly.efi'], loaded: [] });
  expect(accountOf('no-http')).toEqual({ offered: [], loaded: [] });
});

it('asks a server that is running already, and forwards what is listed', () => {
  const forward = [
    'tftp://10.0.2.3=127.0.0.1:6969',
    'http://192.168.7.9:8000=[::1]:8080',
    'http://10.0.2.4/=127.0.0.1:80',
  ];
  const { groups } = checkMatrix({ relay: ['127.0.0.1:6767'], forward });
  expect(groups).toHaveLength(6);
  expect(groups[0]).toMatchObject({
    strictServer: true,
    provisioner: {
      relay: ['127.0.0.1:6767'],
      forward: [
        { address: '10.0.2.3', tftp: '127.0.0.1:6969' },
        { address: '192.168.7.9', http: '[::1]:8080', port: 8000 },
        { address: '10.0.2.4', http: '127.0.0.1:80' },
      ],
    },
  });
});

it('asks it over IPv6 too, where it has that', () => {
  const count = (...relay: string[]) =>
    checkMatrix({ relay, forward: [] }).groups.map(({ ipVersion = 4 }) => ipVersion);
  expect(count('[::1]:5547')).toEqual([6, 6, 6, 6]);
  expect(count('127.0.0.1:6767', '[::1]:5547')).toEqual([4, 4, 4, 4, 4, 4, 6, 6, 6, 6]);
});

it.each(['10.0.2.3=127.0.0.1:69', 'tftp://10.0.2.3:70=127.0.0.1:69', 'ftp://10.0.2.3=127.0.0.1:69', 'tftp://10.0.2.3'])(
  'refuses to forward %s',
  (forward) => {
    expect(() => checkMatrix({ relay: ['127.0.0.1:6767'], forward: [forward] })).toThrow(
      `--forward: expected tftp://ADDRESS=HOST:PORT or http://ADDRESS[:PORT]=HOST:PORT, saw "${forward}"`,
    );
  },
);

it.each([
  [['--command', 'dnsmasq', '--relay', '127.0.0.1:67']],
  [['--relay', '127.0.0.1:67', '--file', 'dnsmasq.conf']],
  [['--forward', 'tftp://10.0.2.3=127.0.0.1:69']],
])('refuses %j', async (argv) => {
  const { code, err } = await netboot('check-server', ...argv);
  expect(code).toBe(2);
  expect(err).toContain('expected --command with --file, or --relay with --forward');
});

it('names the option whose address is elsewhere, once', async () => {
  const { code, err } = await netboot('check-server', '--relay', '192.168.7.9:67');
  expect(code).toBe(2);
  expect(err).toContain(
    'error: check-server: relay[0]: expected a loopback address and a port, such as 127.0.0.1:6767 or [::1]:5547; saw "192.168.7.9:67"\nhint: ',
  );
});
