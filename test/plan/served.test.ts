import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openTree } from '../../harness/services/tree/served-tree.ts';
import { nonce, planOf, resolved, scenario } from './found-scenario.ts';

describe('what a case serves', () => {
  it('is what its loader fetches, under the names it asks for', () => {
    const { serve, deliveries, boot } = planOf(scenario({}), resolved());
    expect(Object.keys(serve).sort()).toEqual(['grub/grub.cfg', 'grubx64.efi', 'initrd.gz', 'linux', 'shimx64.efi']);
    expect(deliveries.payload).toEqual([
      { name: 'linux', bytes: 30 },
      { name: 'initrd.gz', bytes: 40 },
    ]);
    expect(boot.map(({ file }) => file)).toEqual(['shimx64.efi']);
  });

  it('keeps path and length of what a scenario only patches', () => {
    const patch = [{ offset: 4, ascii: 'x' }];
    const { serve, deliveries } = planOf(scenario({ serve: { linux: { patch } } }), resolved());
    expect(serve.linux).toEqual({ path: '/linux', patch });
    expect(deliveries.payload[0]).toEqual({ name: 'linux', bytes: 30 });
  });

  it('is also an artefact that the scenario names by its role, patched where it says so', () => {
    const patch = [{ offset: 4, ascii: 'x' }];
    const serve = { 'grubx64.efi': { secondStage: 'snponly', patch } } as const;
    const found = resolved({ served: { 'grubx64.efi': { path: '/snponly', bytes: 50 } } });
    expect(planOf(scenario({ serve }), found).serve['grubx64.efi']).toEqual({ path: '/snponly', patch });
  });

  it('refuses a patch of what is not served, and names what could be patched', () => {
    const patching = scenario({ serve: { 'grubaa64.efi': { patch: [{ offset: 0, ascii: 'x' }] } } });
    expect(() => planOf(patching, resolved())).toThrow(
      expect.objectContaining({ code: 'bad-matrix', hint: expect.stringContaining('grubx64.efi') }),
    );
  });

  it("tells a bare NBP this run's nonce in its fields, ended by NUL", () => {
    const nbp = { name: 'probe-x64.efi', path: '/probe', bytes: 600, nonce: { offsets: [512, 580], bytes: 8 } };
    const plan = planOf(scenario({ secondStage: 'probe', payload: 'probe' }), resolved({ nbp }));
    expect(plan.serve['probe-x64.efi']).toEqual({
      path: '/probe',
      patch: [
        { offset: 512, ascii: `${nonce}\0` },
        { offset: 580, ascii: `${nonce}\0` },
      ],
    });
    expect(plan.stagePath.at(-1)).toBe('nbp');
  });

  it.each([
    ['shim-grub', 'grub/grub.cfg'],
    ['syslinux', 'pxelinux.cfg/default'],
    ['snponly', 'boot.ipxe'],
  ] as const)('has %s start an x86 kernel that does not panic for want of CPU time', (secondStage, config) => {
    const served = planOf(scenario({ secondStage }), resolved()).serve[config];
    expect(served).toEqual({ text: expect.stringMatching(/ console=ttyS0 no_timer_check nbh\.nonce=/) });
  });

  it.each([
    ['shim-grub', 'grub/grub.cfg', /initrd \(tftp,10\.0\.2\.2\)\/initrd\.gz \(tftp,10\.0\.2\.2\)\/init\.gz/],
    ['syslinux', 'pxelinux.cfg/default', /INITRD \/initrd\.gz,\/init\.gz/],
    [
      'snponly',
      'boot.ipxe',
      /initrd=initrd\.gz initrd=init\.gz[\s\S]*initrd tftp:\S*\/initrd\.gz\ninitrd tftp:\S*\/init\.gz/,
    ],
  ] as const)('has %s load the own /init behind the initrd of the installer', (secondStage, name, order) => {
    const overlay = { path: '/tiny', bytes: 50 };
    const { serve, deliveries } = planOf(scenario({ secondStage, payload: 'installer' }), resolved({ overlay }));
    expect(serve[name]).toEqual({ text: expect.stringMatching(order) });
    expect(deliveries.payload.map((file) => file.name)).toEqual(['linux', 'initrd.gz', 'init.gz']);
  });

  it('has GRUB, which looks for its configuration where it came from, load its HTTP module and go on with that', () => {
    const transport = { nbp: 'tftp', config: 'http', payload: 'http' } as const;
    const { serve, deliveries } = planOf(scenario({ secondStage: 'grub', transport }), resolved());
    expect(deliveries.config.map(({ name }) => name)).toEqual(['grub/grub.cfg', 'grub/menu.cfg']);
    expect(serve['grub/grub.cfg']).toEqual({ text: 'insmod http\nconfigfile (http,10.0.2.2)/grub/menu.cfg\n' });
    expect(serve['grub/menu.cfg']).toEqual({ text: expect.stringContaining('linux (http,10.0.2.2)/linux ') });
  });

  it('never has the token in anything it serves, only the nonce', () => {
    for (const secondStage of ['shim-grub', 'syslinux', 'snponly'] as const) {
      const { serve } = planOf(scenario({ secondStage }), resolved());
      expect(JSON.stringify(serve)).toContain(nonce);
      expect(JSON.stringify(serve)).not.toContain(`netboot-ok:${nonce}`);
    }
  });
});

describe('the policy', () => {
  it('gives iPXE its script only once it has its NBP', () => {
    const nbp = { name: 'snponly.efi', path: '/snp', bytes: 10 };
    const { boot } = planOf(scenario({ secondStage: 'snponly' }), resolved({ nbp, companions: {} }));
    expect(boot).toMatchObject([
      { when: { userClass: 'iPXE', served: ['snponly.efi'] }, file: 'boot.ipxe' },
      { when: {}, file: 'snponly.efi' },
    ]);
  });

  it.each([
    [4, '10.0.2.2'],
    [6, 'fd00::2'],
  ] as const)('has placeholders filled over IPv%i, wherever a scenario writes text of its own', (ipVersion, host) => {
    const { serve, boot } = planOf(
      scenario({
        ipVersion,
        boot: [
          {
            name: 'own',
            when: {},
            file: '{{server}}/{{mac}}',
            answer: true,
            options: [{ code: 209, op: 'set', value: { ascii: '{{nonce}}' } }],
          },
        ],
        serve: { script: { text: `{{server}} \${net0/ip}` }, away: { redirect: '{{server}}/{{nonce}}' } },
      }),
      resolved(),
    );
    expect(boot).toMatchObject([
      { file: `${host}/52:54:00:12:34:56`, options: [{ code: 209, value: { ascii: nonce } }] },
    ]);
    expect(serve).toMatchObject({
      script: { text: `${host} \${net0/ip}` },
      away: { redirect: `${host}/${nonce}` },
    });
  });

  it('names each fetch by its own transport', () => {
    const transport = { nbp: 'tftp', config: 'http', payload: 'http' } as const;
    const nbp = { name: 'snponly.efi', path: '/snp', bytes: 10 };
    const { boot, serve } = planOf(scenario({ secondStage: 'snponly', transport }), resolved({ nbp }));
    expect(boot.map(({ file }) => file)).toEqual(['http://10.0.2.2/boot.ipxe', 'snponly.efi']);
    expect(serve['boot.ipxe']).toEqual({ text: expect.stringContaining('http://10.0.2.2/linux') });
  });
});

it('serves a patched file with its own length, whatever piece is asked for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'netboot-patch-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'file');
  writeFileSync(path, '0123456789');
  const patch = [
    { offset: 3, ascii: 'abc' },
    { offset: 9, ascii: 'beyond' },
  ];
  const entry = await openTree({ file: { path, patch } }).lookup('file');
  if (entry.kind !== 'file') throw new Error(entry.kind);
  expect(entry.bytes).toBe(10);
  for (let from = 0; from < 10; from++) {
    for (let length = 1; length <= 10 - from; length++) {
      const target = Buffer.alloc(12, '.');
      expect(await entry.read(from, length, target, 1)).toBe(length);
      expect(target.toString()).toBe(`.${'012abc678b'.slice(from, from + length)}`.padEnd(12, '.'));
    }
  }
});
