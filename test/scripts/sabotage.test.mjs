import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bootOf } from '../../scripts/campaigns/sabotage/boot.mjs';
import { machineKinds, networkKinds } from '../../scripts/campaigns/sabotage/kinds.mjs';
import { asksFor, comesToEndOf, isRequest, mattersOver } from '../../scripts/campaigns/sabotage/signs.mjs';
import { guest, icmpFrame, server, tcpFrame, udpFrame } from '../wire/frames.ts';

const planOf = (run) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/runs/${run}/plan.json`, import.meta.url), 'utf8'));
const expecting = (run, expected) => {
  const plan = planOf(run);
  return bootOf({ ...plan, scenario: { ...plan.scenario, expect: { reason: 'tested', ...expected } } });
};

describe('a break begins where it keeps a boot from what is expected', () => {
  it('is of the machine alone where the firmware finds no driver: there is no network to break', () => {
    expect(bootOf(planOf('uefi-no-driver'))).toMatchObject({
      boots: false,
      uses: [],
      first: 'firmware',
      last: 'firmware',
    });
  });

  it.each([
    ['at a fetch', { stopsAt: 'nbp-fetch', failure: 'http-boot-error' }, { stage: 'nbp-fetch', after: 'dhcp' }],
    ['at what was fetched', { stopsAt: 'nbp', failure: 'bds-nothing' }, { stage: 'nbp-fetch', after: 'dhcp' }],
    [
      'at the lease, as a client tells',
      { stopsAt: 'dhcp', failure: [{ rule: 'pxe-error' }] },
      { stage: 'dhcp', after: 'firmware' },
    ],
  ])('is ahead of the last thing that a boot needs the network for where it is to stop %s', (_, expected, use) => {
    expect(expecting('uefi-no-rom', expected).uses).toEqual([expect.objectContaining(use)]);
  });

  it('is at the first fetch by the transport that a boot was chosen for where it is to succeed', () => {
    const plan = planOf('uefi-no-rom');
    const transports = { ...plan.transports, config: 'http' };
    const [use, ...others] = bootOf({ ...plan, transports }).uses;
    expect(others).toEqual([]);
    expect(use).toMatchObject({ stage: 'config', transport: 'http', files: ['boot.ipxe'], after: 'nbp-dhcp' });
  });
});

describe('the breaks of a kind', () => {
  const boot = bootOf(planOf('uefi-no-rom'));
  const [use] = boot.uses;
  const [name] = use.files;
  const alter = (wrong) =>
    wrong.alter(boot.plan, { truncated: (path) => `half of ${path}`, blank: (path) => `no ${path}` });

  it('take a file away, or half of it, and leave the lengths that are expected', () => {
    const [missing] = networkKinds['file-missing'](use, boot.plan);
    expect(name in boot.plan.serve).toBe(true);
    expect(name in alter(missing).serve).toBe(false);
    const [half] = networkKinds['file-truncated'](use, boot.plan);
    expect(alter(half).serve[name].path).toBe(`half of ${boot.plan.serve[name].path}`);
    expect(alter(half).deliveries).toEqual(boot.plan.deliveries);
  });

  it('are none where there is nothing to break', () => {
    expect(networkKinds['file-missing'](use, { ...boot.plan, serve: {} })).toEqual([]);
    expect(networkKinds['port-refused'](use, boot.plan)).toEqual([]);
    expect(networkKinds['tls-wrong'](use, boot.plan)).toEqual([]);
    expect(machineKinds['rom-blank'](boot)).toEqual([]);
  });

  it('leave an HTTP response whole where the server is to cut it off', () => {
    const overHttp = { ...use, transport: 'http' };
    const faults = [{ server: 'http', truncateToBytes: 50_000 }];
    const cut = { ...boot.plan, scenario: { ...boot.plan.scenario, faults } };
    const namesOf = (plan) => networkKinds['file-truncated'](overHttp, plan).map(({ name: of }) => of);
    expect(namesOf(boot.plan)).toEqual([undefined, 'midway']);
    expect(namesOf(cut)).toEqual([undefined]);
  });

  it('put a blank ROM where QEMU takes one unasked', () => {
    const plan = planOf('bios-ipxe-rom');
    const [blank] = machineKinds['rom-blank'](bootOf(plan));
    const rom = plan.inputs.find(({ role }) => role === 'oprom').path;
    const { argv } = blank.alter(plan, { blank: (path) => `blank-${path.split('/').at(-1)}` }).qemu;
    expect(argv.at(-1)).toBe(`${plan.qemu.argv.at(-1)},romfile=blank-${rom.split('/').at(-1)}`);
  });
});

describe('a boot has met its break', () => {
  it.each([
    { source: 'wire', type: 'tftp-request', file: 'a/b.efi' },
    { source: 'wire', type: 'http-request', target: '/a/b.efi' },
    { source: 'http', type: 'served', target: 'https://10.0.2.2/a/b.efi' },
    { source: 'wire', type: 'nfs-lookup', file: 'a/b.efi' },
  ])('where it asks for the file: %o', (event) => {
    expect(asksFor(['c.efi', 'a/b.efi'])(event)).toBe(true);
    expect(asksFor(['b.efi'])(event)).toBe(false);
  });

  it('not where it is only told of the file', () => {
    expect(asksFor(['a/b.efi'])({ source: 'wire', type: 'dhcp', file: 'a/b.efi' })).toBe(false);
  });

  it('where it comes to the end of the file, however short that is', () => {
    const isEnd = comesToEndOf(['b.efi']);
    expect(isEnd({ source: 'wire', type: 'tftp-request', file: 'b.efi' })).toBe(false);
    expect(isEnd({ source: 'http', type: 'served', method: 'HEAD', target: '/b.efi' })).toBe(false);
    expect(isEnd({ source: 'http', type: 'served', method: 'GET', target: '/b.efi' })).toBe(true);
    expect(isEnd({ source: 'wire', type: 'tftp-complete', file: 'b.efi' })).toBe(true);
  });

  it('where it loses a frame, unless that is of the other IP version', () => {
    const solicitation = Buffer.concat([Buffer.alloc(12), Buffer.from([0x86, 0xdd]), Buffer.alloc(48)]);
    expect([4, 6].map((version) => mattersOver(version)(solicitation))).toEqual([false, true]);
    expect([4, 6].map((version) => mattersOver(version)(udpFrame(guest, server, 68, 67, Buffer.from('x'))))).toEqual([
      true,
      true,
    ]);
  });

  it('where it asks a server for something, not its network', () => {
    expect(isRequest(udpFrame(guest, server, 68, 67, Buffer.from('x')))).toBe(true);
    expect(isRequest(tcpFrame({ from: 'guest', sequence: 1 }))).toBe(true);
    expect(isRequest(icmpFrame(guest, server, Buffer.alloc(8)))).toBe(false);
  });
});
