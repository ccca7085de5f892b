import { describe, expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { nonce, planOf, resolved, scenario } from './found-scenario.ts';

const program = { path: '/usr/sbin/dnsmasq', env: { LD_LIBRARY_PATH: '/lib' } };
const text = 'tftp-root={{tree}}\ndhcp-boot={{nbp}}\nserver={{provisioner}} {{provisioner6}} {{server}} {{nonce}} $ip';
const found = (files = {}) =>
  resolved({ provisioner: { programs: [{ ...program, files }], packetPrograms: undefined } });
const command = ['dnsmasq', '--conf-file={{dir}}/c', '-i', '{{interface}}'];
const planWith = (provisioner: Scenario['provisioner'], over: Partial<Scenario> = {}) =>
  planOf(scenario({ provisioner, ...over }), found({ c: { text } }));

describe('a plan with a server of the user’s', () => {
  it('has everything filled in but the folders, which are known once it starts', () => {
    const plan = planWith({ command, serves: ['dhcp', 'tftp'] });
    expect(plan.provisioner).toMatchObject({
      addresses: ['10.0.2.3/24'],
      files: {
        c: {
          text: `tftp-root={{tree}}\ndhcp-boot=shimx64.efi\nserver=10.0.2.3 {{provisioner6}} 10.0.2.2 ${nonce} $ip`,
        },
      },
      programs: [
        {
          name: 'dnsmasq',
          argv: ['/usr/sbin/dnsmasq', '--conf-file={{dir}}/c', '-i', 'eth0'],
          env: { LD_LIBRARY_PATH: '/lib' },
          ready: [{ udp: 67 }, { udp: 69 }],
          stop: 'SIGTERM',
        },
      ],
    });
    expect(plan.network.provisioner).toEqual({ ip: '10.0.2.3', serves: ['dhcp', 'tftp'] });
  });

  it('has what the harness serves at its address, and what the user’s server serves at that one’s', () => {
    const transport = { config: 'http', payload: 'tftp' } as const;
    const menu = (serves: ['http'] | ['tftp']) => JSON.stringify(planWith({ command, serves }, { transport }).serve);
    expect(menu(['http'])).toContain('(http,10.0.2.3)/grub/menu.cfg');
    expect(menu(['http'])).toContain('(tftp,10.0.2.2)/linux');
    expect(menu(['tftp'])).toContain('(http,10.0.2.2)/grub/menu.cfg');
    expect(menu(['tftp'])).toContain('(tftp,10.0.2.3)/linux');
  });

  it('starts no server of the harness for what is served already', () => {
    const transport = 'http' as const;
    expect(planWith({ command, serves: ['dhcp'] }, { transport }).network.tcp).toEqual([{ port: 80, service: 'http' }]);
    expect(planWith({ command, serves: ['http'] }, { transport }).network.tcp).toEqual([]);
  });

  it('has an address server next to a proxyDHCP server', () => {
    expect(planWith({ command, serves: ['proxydhcp'] }).network.proxyDhcp).toBe(true);
    expect(planWith({ command, serves: ['dhcp'] }).network.proxyDhcp).toBe(false);
  });

  it('has a guest with a MAC of its own where guests share the server, and the default one where not', () => {
    const shared = { command, scope: 'group' as const };
    const macs = ['one', 'two', 'one'].map((id) => planWith(shared, { id }).network.guestMac);
    expect(macs[0]).toBe(macs[2]);
    expect(new Set([...macs, planWith({ command }).network.guestMac]).size).toBe(3);
    // Locally administered, of one station.
    for (const mac of macs) expect(mac).toMatch(/^52:54(:[0-9a-f]{2}){4}$/);
    expect(planWith([{ command }, shared]).provisioner?.scope).toBe('group');
    expect(planWith({ command }).provisioner?.scope).toBeUndefined();
  });

  it('has one log for each program, whatever they are called', () => {
    const twice = planOf(
      scenario({ provisioner: [{ command }, { command }] }),
      resolved({ provisioner: { programs: [1, 2].map(() => ({ ...program, files: {} })), packetPrograms: undefined } }),
    );
    expect(twice.provisioner?.programs.map(({ name }) => name)).toEqual(['dnsmasq', 'dnsmasq-2']);
  });
});

describe('a plan with a server that is running already', () => {
  const relay = {
    relay: '127.0.0.1:6767',
    forward: [
      { address: '10.0.2.3', tftp: '127.0.0.1:6969' },
      { address: '192.168.7.9', http: '[::1]:8080', port: 8000 },
    ],
  };

  it('lists all that the guest can reach through the harness, and starts nothing', () => {
    const plan = planOf(scenario({ provisioner: relay }));
    expect(plan.provisioner).toBeUndefined();
    expect(plan.network.provisioner).toEqual({
      serves: ['dhcp'],
      relay: {
        dhcp: { host: '127.0.0.1', port: 6767 },
        forward: [
          { service: 'tftp', address: '10.0.2.3', port: 69, to: { host: '127.0.0.1', port: 6969 } },
          { service: 'http', address: '192.168.7.9', port: 8000, to: { host: '::1', port: 8080 } },
        ],
      },
    });
  });

  it('has the harness serve its own files at its own address', () => {
    const plan = planOf(scenario({ provisioner: relay, transport: { config: 'http', payload: 'tftp' } }));
    expect(plan.network.tcp).toEqual([{ port: 80, service: 'http' }]);
    expect(JSON.stringify(plan.serve)).toContain('(http,10.0.2.2)/grub/menu.cfg');
    expect(JSON.stringify(plan.serve)).toContain('(tftp,10.0.2.2)/linux');
  });

  const loopbackAlone = /expected a loopback address and a port, such as 127\.0\.0\.1:/;
  it.each<[string, object, RegExp]>([
    ['a host elsewhere', { relay: '192.168.7.9:67' }, loopbackAlone],
    ['a name', { relay: 'localhost:6767' }, loopbackAlone],
    ['no port', { relay: '127.0.0.1' }, loopbackAlone],
    ['a port that there is not', { relay: '127.0.0.1:65536' }, loopbackAlone],
    ['an address that there is not', { relay: '127.0.0.256:67' }, loopbackAlone],
    ['forwarding to elsewhere', { forward: [{ address: '10.0.2.3', http: '10.1.1.1:80' }] }, loopbackAlone],
    [
      'forwarding for the harness',
      { forward: [{ address: '10.0.2.2', tftp: '127.0.0.1:69' }] },
      /the harness's own address/,
    ],
    ['forwarding twice', { forward: [relay.forward[0], relay.forward[0]] }, /each address and port once/],
    ['a command as well', { command: ['dnsmasq'] }, /unknown key/],
  ])('is refused with %s', (_, over, words) => {
    const groups = [
      { name: 'g', arch: 'x86_64', firmware: 'seabios', nic: 'e1000', provisioner: { ...relay, ...over } },
    ];
    expect(() => parseMatrix({ name: 'm', groups }, 'm')).toThrow(words);
  });

  it('is for the versions of IP that have a server', () => {
    const cellsOf = (...servers: string[]) => {
      const provisioner = { relay: servers };
      const groups = [{ name: 'g', arch: 'x86_64', firmware: 'ovmf', nic: 'e1000', ipVersion: [4, 6], provisioner }];
      return expandMatrix(parseMatrix({ name: 'm', groups }, 'm'));
    };
    const { cells, excluded } = cellsOf('127.0.0.1:6767');
    expect(cells.map(({ ipVersion }) => ipVersion)).toEqual([4]);
    expect(excluded.map(({ reason }) => reason)).toEqual([expect.stringContaining('the relay lists no server')]);
    const both = cellsOf('127.0.0.1:6767', '[::1]:5547').cells.map((cell) => planOf(cell).network.provisioner);
    expect(both).toEqual([
      { serves: ['dhcp'], relay: { dhcp: { host: '127.0.0.1', port: 6767 }, forward: [] } },
      { serves: ['dhcpv6'], relay: { dhcp: { host: '::1', port: 5547 }, forward: [] } },
    ]);
    expect(() => cellsOf('127.0.0.1:6767', '127.0.0.1:6768')).toThrow(/one server over IPv4 and one over IPv6/);
  });
});
