import { describe, expect, it } from 'vitest';
import { faultSchema } from '../../harness/model/faults.ts';
import type { Resolved } from '../../harness/model/resolved.ts';
import type { Scenario } from '../../harness/model/scenario.ts';
import { planStandalone } from '../../harness/plan/standalone.ts';
import { disk, planOf, resolved, scenario } from './found-scenario.ts';

const standaloneOf = (cell: Partial<Scenario>, found: Partial<Resolved> = {}, nbpRunsAutoexec = false) =>
  planStandalone(planOf(scenario(cell), resolved(found)), { accel: 'tcg', nbpRunsAutoexec });
const possible = (...given: Parameters<typeof standaloneOf>) => {
  const standalone = standaloneOf(...given);
  if ('impossible' in standalone) throw new Error(standalone.impossible);
  return standalone;
};

const script = { secondStage: 'none', payload: 'script', rom: 'bundled' } as const;
const chain = { secondStage: 'snponly', payload: 'script' } as const;
const snponly = { nbp: { name: 'snponly.efi', path: '/snponly', bytes: 1 } };

describe('without the harness', () => {
  it('no server of the user’s is asked', () => {
    const provisioner = { relay: '127.0.0.1:6767' };
    expect(standaloneOf({ provisioner })).toEqual({ impossible: expect.stringContaining('a server of its own') });
  });

  it("QEMU's user network offers the boot file and serves the folder", () => {
    const { argv } = possible({});
    expect(argv).toContain('user,id=net0,net=10.0.2.0/24,host=10.0.2.2,tftp=tftp,bootfile=shimx64.efi');
    expect(argv.join(' ')).toMatch(/-serial stdio/);
    expect(argv.join(' ')).not.toMatch(/fd=|addr\.type|chardev=qmp|-no-shutdown/);
  });

  it('QEMU opens its files in the folder, under names of their own', () => {
    const inputs = [
      { role: 'firmware-code', path: '/one/fw,1.fd' },
      { role: 'firmware-vars', path: '/two/fw,1.fd' },
      { role: 'kernel', path: '/linux' },
    ] as const;
    const firmware = { ...resolved().firmware, code: '/one/fw,1.fd', vars: '/two/fw,1.fd' };
    const { argv, files } = possible({}, { firmware, inputs: inputs.map((one) => ({ ...one, sha256: '', bytes: 1 })) });
    expect(files).toEqual({ 'fw,1.fd': '/one/fw,1.fd', 'firmware-vars-fw,1.fd': '/two/fw,1.fd' });
    expect(argv).toContain('if=pflash,unit=0,format=raw,readonly=on,file=./fw,,1.fd');
    expect(argv).toContain('if=pflash,unit=1,format=raw,snapshot=on,file=./firmware-vars-fw,,1.fd');
  });

  it('an option ROM is given its script, and it is said that all are', () => {
    const { argv, differs } = possible(script, { nbp: undefined });
    expect(argv.join(' ')).toContain('bootfile=boot.ipxe');
    expect(differs).toContain('every client is offered boot.ipxe, whatever it is');
  });

  it('an iPXE that looks for autoexec.ipxe is pointed to its script by it', () => {
    const { argv, extraTexts } = possible(chain, snponly, true);
    expect(argv.join(' ')).toContain('bootfile=snponly.efi');
    expect(extraTexts['autoexec.ipxe']).toMatch(/^#!ipxe\ndhcp\nchain tftp:\/\/10\.0\.2\.2\/boot\.ipxe\n$/);
  });

  it.each<[string, Partial<Scenario>, Partial<Resolved>, RegExp]>([
    [
      'an iPXE that does not',
      chain,
      snponly,
      /snponly\.efi asks DHCP for its script, and would be offered itself again/,
    ],
    ['HTTP', { transport: { payload: 'http' } }, {}, /needs HTTP, .*only by TFTP/],
    ['HTTPS', { transport: { payload: 'https' } }, {}, /needs HTTPS/],
    ['NFS', { transport: { payload: 'nfs' } }, {}, /needs NFS,/],
    ['IPv6', { ipVersion: 6 }, {}, /boots over IPv6/],
    ['a disk', { secondStage: 'none', payload: 'disk' }, { disk }, /has a disk/],
    ['a VLAN', { ...script, vlan: 42 }, { nbp: undefined }, /VLAN/],
    ['faults', { faults: [faultSchema.parse({ drop: 0.1 })] }, {}, /wrong on purpose/],
    ['several boots', { ...script, boots: [{ name: 'one' }, { name: 'two' }] }, { nbp: undefined }, /off and on/],
    ['proxyDHCP', { proxyDhcp: true }, {}, /needs a proxyDHCP server/],
    [
      'raw options',
      { boot: [{ name: 'x', when: {}, answer: true, file: 'a', options: [{ code: 43, op: 'withhold' }] }] },
      {},
      /raw DHCP options/,
    ],
    [
      'clients that get no answer',
      { boot: [{ name: 'x', when: { port: 67 }, answer: false, options: [] }] },
      {},
      /without an answer/,
    ],
    [
      'clients told apart',
      {
        boot: [
          { name: 'x', when: { clientArch: [7] }, answer: true, file: 'a', options: [] },
          { name: 'y', when: {}, answer: true, file: 'b', options: [] },
        ],
      },
      {},
      /offer a and b to different clients/,
    ],
  ])('%s cannot be had, and it is said why', (_, cell, found, reason) => {
    expect(standaloneOf(cell, found)).toEqual({ impossible: expect.stringMatching(reason) });
  });
});
