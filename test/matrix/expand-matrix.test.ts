import { describe, expect, it } from 'vitest';
import { expandMatrix } from '../../harness/matrix/expand-matrix.ts';
import { type MatrixInput, withoutFullOnly } from '../../harness/matrix/matrix.ts';
import { parseMatrix } from '../../harness/matrix/parse-matrix.ts';

type GroupInput = MatrixInput['groups'][number];

const expand = (...groups: GroupInput[]) => expandMatrix(parseMatrix({ name: 'm', groups }, 'm.json'), 'm.json');
const ids = (...groups: GroupInput[]) => expand(...groups).cells.map((cell) => cell.id);

describe('expansion', () => {
  it('fills in defaults by architecture and firmware', () => {
    const { cells } = expand(
      { name: 'bios', arch: 'x86_64', firmware: 'seabios', nic: 'e1000' },
      { name: 'uefi', arch: 'x86_64', firmware: 'ovmf', nic: 'e1000' },
      { name: 'arm', arch: 'aarch64', nic: 'virtio-net-pci' },
    );
    expect(cells.map(({ machine, firmware }) => [machine, firmware])).toEqual([
      ['pc', 'seabios'],
      ['q35', 'ovmf'],
      ['virt', 'aavmf'],
    ]);
    expect(cells[0]).toMatchObject({
      set: 'host',
      rom: 'bundled',
      secondStage: 'none',
      transport: 'tftp',
      payload: 'script',
      secureBoot: 'off',
      ipVersion: 4,
      expect: { reaches: 'last' },
      group: 'bios',
    });
  });

  it('takes the full product in the order of the lists', () => {
    expect(
      ids({ name: 'g', arch: 'x86_64', firmware: 'seabios', machine: ['q35', 'pc'], nic: ['e1000', 'pcnet'] }),
    ).toEqual([
      'g.x86_64.q35.seabios.e1000.bundled',
      'g.x86_64.q35.seabios.pcnet.bundled',
      'g.x86_64.pc.seabios.e1000.bundled',
      'g.x86_64.pc.seabios.pcnet.bundled',
    ]);
  });

  it('names in the id whatever is not a default, in safe characters', () => {
    expect(
      ids({
        name: 'g',
        arch: 'aarch64',
        machine: 'virt,gic-version=3',
        set: 'forky',
        nic: 'virtio-net-pci',
        rom: [{ file: 'roms/my rom.rom' }, { kind: 'snp', set: 'trixie' }],
        secondStage: 'ipxe',
        transport: { payload: 'http' },
        payload: 'linux',
        secureBoot: 'microsoft',
        ipVersion: 6,
      }),
    ).toEqual([
      'g.aarch64.virt-gic-version-3.aavmf@forky.virtio-net-pci.my-rom.rom.ipxe.payload-http.linux.sb-microsoft.ipv6',
      'g.aarch64.virt-gic-version-3.aavmf@forky.virtio-net-pci.snp@trixie.ipxe.payload-http.linux.sb-microsoft.ipv6',
    ]);
  });

  it('copies settings to every cell', () => {
    const { cells } = expand({
      name: 'g',
      arch: 'x86_64',
      firmware: 'seabios',
      nic: ['e1000', 'pcnet'],
      memoryMiB: 512,
      boot: [{ name: 'nothing' }],
    });
    expect(cells.map((cell) => cell.memoryMiB)).toEqual([512, 512]);
    expect(cells[1]?.boot).toEqual([{ name: 'nothing', when: {}, answer: true, options: [] }]);
  });

  it('lets the last matching expectation win', () => {
    const stop = (reason: string) => ({
      stopsAt: 'oprom' as const,
      failure: [{ rule: 'seabios-no-boot' as const }],
      reason,
    });
    const { cells } = expand({
      name: 'g',
      arch: 'x86_64',
      firmware: 'seabios',
      nic: ['e1000', 'pcnet', 'rtl8139'],
      expect: stop('group'),
      expectations: [
        { when: { nic: ['pcnet', 'rtl8139'] }, expect: stop('both') },
        { when: { nic: 'rtl8139' }, expect: { reaches: 'last' } },
      ],
    });
    expect(cells.map((cell) => cell.expect)).toEqual([stop('group'), stop('both'), { reaches: 'last' }]);
  });

  it('matches expectations on values that are objects, whatever the order of their keys', () => {
    const { cells } = expand({
      name: 'g',
      arch: 'x86_64',
      firmware: 'ovmf',
      nic: 'e1000',
      rom: ['snp', { kind: 'snp', set: 'forky' }],
      expectations: [
        {
          when: { rom: { set: 'forky', kind: 'snp' } },
          expect: { stopsAt: 'nbp', failure: 'uefi-shell', reason: 'y' },
        },
      ],
    });
    expect(cells.map((cell) => 'stopsAt' in cell.expect)).toEqual([false, true]);
  });
});

describe('what does not run', () => {
  const reasonsOf = (group: GroupInput) =>
    Object.fromEntries(expand(group).excluded.map(({ id, reason }) => [id, reason]));

  it('refuses impossible combinations with a reason', () => {
    const { cells, excluded } = expand({
      name: 'g',
      arch: ['x86_64', 'aarch64'],
      firmware: ['seabios', 'ovmf', 'aavmf'],
      nic: 'virtio-net-pci',
      secondStage: ['undionly', 'snponly'],
    });
    expect(cells.map(({ firmware, secondStage }) => `${firmware} ${secondStage}`)).toEqual([
      'seabios undionly',
      'ovmf snponly',
      'aavmf snponly',
    ]);
    expect(cells.length + excluded.length).toBe(12);
    expect(excluded.find(({ axes }) => axes.firmware === 'ovmf' && axes.secondStage === 'undionly')?.reason).toMatch(
      /UNDI/,
    );
  });

  const uefi = { firmware: 'ovmf', rom: 'none', secondStage: 'snponly' } as const;
  const impossible: [string, Partial<GroupInput>, RegExp][] = [
    ['Secure Boot on SeaBIOS', { firmware: ['seabios'], secureBoot: ['off', 'microsoft'] }, /UEFI feature/],
    ['Secure Boot on machine pc', { firmware: 'ovmf', machine: ['pc', 'q35'], secureBoot: 'microsoft' }, /SMM/],
    ['IPv6 from a BIOS ROM of a vendor', { firmware: ['seabios'], rom: 'vendor-pxe', ipVersion: [4, 6] }, /IPv4 only/],
    ['pxelinux on UEFI', { firmware: ['seabios', 'ovmf'], secondStage: 'pxelinux', payload: 'linux' }, /BIOS program/],
    ['a PC machine on aarch64', { arch: 'aarch64', machine: ['virt', 'q35'] }, /x86 machines/],
    ['syslinux on aarch64', { arch: 'aarch64', secondStage: ['syslinux', 'grub'], payload: 'linux' }, /no arm64 build/],
    ['a script run by GRUB', { firmware: 'ovmf', secondStage: 'grub', payload: ['script', 'linux'] }, /only iPXE runs/],
    ['a switch', { arch: 'x86_64', firmware: 'ovmf', nic: ['e1000', 'rocker'], rom: 'none' }, /rocker is a switch/],
    ['half a device', { arch: 'x86_64', firmware: 'ovmf', nic: ['e1000', 'pvrdma'], rom: 'none' }, /next to a vmxnet3/],
    ['virtio-mmio on q35', { arch: 'aarch64', nic: 'virtio-net-device', rom: ['none', 'bundled'] }, /not a PCI device/],
    ['a proxyDHCP server for IPv6', { ...uefi, proxyDhcp: true, ipVersion: [4, 6] }, /no equivalent/],
    ['IPv6 addresses with IPv4', { ...uefi, managedIpv6: false, ipVersion: [4, 6] }, /use ipVersion 6/],
    ['a certificate without HTTPS', { ...uefi, certificate: 'expired', transport: ['http', 'https'] }, /only HTTPS/],
    ['a disk next to no kernel', { ...uefi, sanHook: true, payload: ['script', 'linux'] }, /before a kernel/],
    ['GRUB and a SAN disk', { ...uefi, secondStage: ['grub', 'ipxe'], sanHook: true, payload: 'linux' }, /only iPXE/],
    [
      'pxelinux over IPv6',
      { firmware: 'seabios', secondStage: 'pxelinux', payload: 'linux', ipVersion: [4, 6] },
      /IPv4/,
    ],
    [
      'syslinux and HTTPS',
      { ...uefi, secondStage: 'syslinux', payload: 'linux', transport: ['https', 'http'] },
      /no TLS/,
    ],
    ['firmware and NFS', { ...uefi, transport: ['nfs', { config: 'nfs', payload: 'nfs' }] }, /NBP by TFTP or HTTP/],
    [
      'GRUB and NFS',
      { ...uefi, secondStage: 'grub', payload: 'linux', transport: [{ payload: 'nfs' }, 'http'] },
      /no NFS/,
    ],
    ['a VLAN without iPXE', { ...uefi, secondStage: ['grub', 'ipxe'], payload: 'linux', vlan: 42 }, /script for iPXE/],
    [
      'a shared server without leases',
      { ...uefi, ipVersion: [4, 6], provisioner: { command: ['x'], serves: ['dhcp', 'tftp'], scope: 'group' } },
      /addresses of their own.* or dhcpv6 for ipVersion 6/,
    ],
    [
      'an alert in place of no handshake',
      {
        ...uefi,
        transport: ['http', { config: 'https' }],
        faults: [{ drop: 0.1 }, { server: 'tls', alert: 'internalError' }],
      },
      /^fault 2 is of the harness's HTTPS server, and nothing is fetched by it; use transport https/,
    ],
    [
      'HTTP faults where only TFTP is',
      {
        firmware: 'seabios',
        transport: ['tftp', { config: 'http' }, { payload: 'https' }],
        faults: [{ server: 'http', status: 500 }],
      },
      /^fault 1 is of the harness's HTTP server, and nothing is fetched/,
    ],
    [
      'DHCPv6 faults over IPv4',
      { ...uefi, ipVersion: [4, 6], faults: [{ server: 'dhcp6', silent: true }] },
      /^fault 1 is of the harness's DHCPv6 server, and there is none in a boot over IPv4/,
    ],
    [
      'faults of a DHCP server that a relay replaces',
      {
        ...{ ...uefi, ipVersion: [4, 6], provisioner: { relay: ['127.0.0.1:6767', '[::1]:5547'] } },
        faults: [{ server: 'dhcp', silent: true }],
      },
      /^fault 1 is of the harness's DHCP server, and the provisioner serves that here/,
    ],
    [
      'faults of an HTTP server that a provisioner replaces',
      {
        ...{
          ...uefi,
          transport: ['http', { nbp: 'http', config: 'https' }],
          faults: [{ server: 'http', status: 500 }],
        },
        provisioner: { command: ['x'], serves: ['http'] },
      },
      /^fault 1 is of the harness's HTTP server, and the provisioner serves that here$/,
    ],
    ['a probe that is iPXE', { ...uefi, secondStage: ['probe', 'ipxe'], payload: 'probe' }, /use secondStage probe/],
  ];
  it.each(impossible)('%s', (_, group, reason) => {
    const reasons = Object.values(reasonsOf({ name: 'g', arch: 'x86_64', nic: 'virtio-net-pci', ...group }));
    expect(reasons).toEqual([expect.stringMatching(reason)]);
  });

  it.each([undefined, 'expired'] as const)('a certificate in place of the same, %s', (certificate) => {
    const own = certificate ?? 'valid';
    const faults = [{ server: 'tls' as const, certificate: own }] satisfies GroupInput['faults'];
    const group: GroupInput = { ...uefi, name: 'g', arch: 'x86_64', nic: 'virtio-net-pci', transport: 'https', faults };
    const hint = `fault 1 replaces the certificate "${own}" by the same: name another one`;
    expect(() => expand({ ...group, ...(certificate && { certificate }) })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(hint) }),
    );
    expect(expand({ ...group, certificate: 'wrong-name' }).cells).toHaveLength(1);
  });

  it.each(['dhcp', 'tftp'] as const)('faults of a %s server that a provisioner replaces', (server) => {
    const provisioner = { command: ['x'], serves: [server] };
    const faults = [{ server, silent: true as const }];
    const hint = expect.stringContaining(`${server.toUpperCase()} server, and the provisioner serves that here`);
    expect(() => expand({ name: 'g', arch: 'aarch64', nic: 'virtio-net-pci', provisioner, faults })).toThrow(
      expect.objectContaining({ hint }),
    );
  });

  describe('a network that spoils the frames of a server', () => {
    const served: GroupInput = {
      ...{ name: 'g', arch: 'aarch64', nic: 'virtio-net-pci' },
      provisioner: { command: ['x'], serves: ['dhcp'] },
      faults: [{ server: 'tftp', silent: true }, { drop: 0.1 }],
    };
    const finding = { reaches: 'last', finding: ['reply-too-short'] } as const;

    it.each([
      ['strictServer', { strictServer: true }],
      ['the finding reply-too-short', { expect: finding }],
      ['the finding reply-too-short', { expectations: [{ when: {}, expect: finding }] }],
    ] as const)('cannot be asked for what %s asks for', (asked, group) => {
      const why = `fault 2 is of the network, under which no server is judged, and ${asked} asks for that`;
      expect(() => expand({ ...served, ...group } as GroupInput)).toThrow(
        expect.objectContaining({ hint: expect.stringContaining(why) }),
      );
    });

    it('and nothing that is asked of it', () => {
      expect(expand(served).cells).toHaveLength(1);
    });
  });

  it('lists exclusions of the matrix and cells that are not applicable', () => {
    const reasons = reasonsOf({
      name: 'g',
      arch: 'x86_64',
      firmware: 'seabios',
      nic: ['e1000', 'pcnet', 'rtl8139'],
      exclude: [{ when: { nic: 'pcnet' }, reason: 'too slow' }],
      expectations: [{ when: { nic: 'rtl8139' }, expect: { notApplicable: 'no such ROM' } }],
    });
    expect(reasons).toEqual({
      'g.x86_64.pc.seabios.pcnet.bundled': 'too slow',
      'g.x86_64.pc.seabios.rtl8139.bundled': 'no such ROM',
    });
  });
});

describe('refusals', () => {
  const base: GroupInput = { name: 'g', arch: 'x86_64', firmware: 'seabios', nic: 'e1000' };
  const { firmware: _, ...withoutFirmware } = base;
  const refusals: [string, GroupInput[], RegExp][] = [
    ['an ambiguous firmware', [withoutFirmware], /^m\.json: groups\[0\]\.firmware: .*more than one \(seabios, ovmf\)/],
    [
      'a dead expectation',
      [base, { ...base, name: 'h', expectations: [{ when: { nic: 'pcnet' }, expect: { reaches: 'last' } }] }],
      /^m\.json: groups\[1\]\.expectations\[0\]\.when: \{"nic":"pcnet"\} matches no case/,
    ],
    [
      'a dead exclusion',
      [{ ...base, exclude: [{ when: { set: 'sid' }, reason: 'x' }] }],
      /groups\[0\]\.exclude\[0\]\.when/,
    ],
    [
      'two cases of one id',
      [base, { ...base, kernelArgs: 'x' }],
      /two cases have the id .*; they differ in kernelArgs/,
    ],
    ['ids that differ only in case', [base, { ...base, name: 'G' }], /of groups "g" and "G"/],
    [
      'a repeated value',
      [{ ...base, nic: ['e1000', 'e1000'] }],
      /two cases have the id .* they are the same cell twice/,
    ],
    ['an impossible group', [{ ...base, secureBoot: 'microsoft' }], /every combination of group "g" is impossible/],
  ];
  it.each(refusals)('%s', (_name, groups, message) => {
    expect(() => expand(...groups)).toThrow(message);
  });
});

it('refuses a product that nobody could run before it makes it', () => {
  const nic = Array.from({ length: 1000 }, (_, index) => `nic-${index}`);
  const machine = Array.from({ length: 1000 }, (_, index) => `machine-${index}`);
  const memoryMiB = Array.from({ length: 1000 }, (_, index) => 64 + index);
  const name = 'bomb';
  expect(() => expand({ name, arch: 'aarch64', rom: 'none', secondStage: 'ipxe', nic, machine, memoryMiB })).toThrow(
    /m\.json: groups\[0\]: .*1000000000 combinations, over the limit of 100000/,
  );
});

describe('choices of the caller', () => {
  const armGroup: GroupInput = { name: 'g', arch: 'aarch64', nic: 'virtio-net-pci' };

  it('puts groups that name no artefact set on the given ones', () => {
    const matrix = parseMatrix({ name: 'm', groups: [armGroup, { ...armGroup, name: 'h', set: 'forky' }] }, 'm.json');
    expect(expandMatrix(matrix, 'm.json', ['mine', 'theirs']).cells.map(({ group, set }) => [group, set])).toEqual([
      ['g', 'mine'],
      ['g', 'theirs'],
      ['h', 'forky'],
    ]);
  });

  it('leaves out the groups that only a full run takes', () => {
    const matrix = parseMatrix({ name: 'm', groups: [armGroup, { ...armGroup, name: 'h', tags: ['full'] }] }, 'm.json');
    expect(withoutFullOnly(matrix).groups.map(({ name }) => name)).toEqual(['g']);
  });
});
