import { describe, expect, it } from 'vitest';
import { evidenceOf } from './recorded-log.ts';

/** Recorded boots that went all the way: each stage of the path by the rule that proves it. */
const completed: Record<string, Record<string, string>> = {
  'bios-ipxe-rom-linux': {
    firmware: 'seabios-banner',
    oprom: 'ipxe-bios-rom',
    config: 'config-delivered',
    'payload-fetch': 'payload-delivered',
  },
  'bios-pxelinux': { oprom: 'ipxe-bios-rom', nbp: 'syslinux-banner', config: 'config-delivered' },
  'uefi-syslinux': { firmware: 'uefi-client', nbp: 'loader-request', config: 'config-delivered' },
  'uefi-snponly-linux-http': { nbp: 'ipxe-nbp', 'nbp-dhcp': 'nbp-lease', config: 'config-delivered' },
  'arm-ipxe-linux-http': { firmware: 'uefi-banner', nbp: 'ipxe-nbp', 'nbp-dhcp': 'nbp-lease' },
  'uefi-uki-http': { firmware: 'uefi-client', nbp: 'efi-stub' },
  // iPXE ran the script, which closes the device that had its last acknowledgement still to send.
  'uefi-vlan-tftp-unacknowledged': {
    nbp: 'ipxe-nbp',
    config: 'config-delivered',
    'payload-fetch': 'initrd-ran',
  },
  // GRUB started the kernel with its last acknowledgement unsent.
  'arm-shim-grub-unacknowledged': { nbp: 'loader-request', config: 'config-delivered', 'payload-fetch': 'initrd-ran' },
};

/** Recorded boots that stopped: the last stage they reached, the rule that ended them and its words. */
const stopped: Record<string, { last: string; rule: string; words: RegExp }> = {
  'arm-kernel-panic': { last: 'kernel', rule: 'kernel-panic', words: /Unable to mount root fs on unknown-block/ },
  // The dump says which exception in its first line, and where in its last one.
  'uefi-exception': {
    last: 'dhcp',
    rule: 'uefi-exception',
    words: /^!!!! Find image based on IP\(0xE62553C\) eepro100\.efidrv \(ImageBase=.* !!!!$/,
  },
  // A release build for Arm says no more than this.
  'arm-exception': { last: 'firmware', rule: 'uefi-exception', words: /^Synchronous Exception at 0x0{15}4$/ },
  'uefi-grub-no-config': { last: 'nbp', rule: 'grub-prompt', words: /Minimal BASH-like line editing/ },
  'bios-pxelinux-no-library': { last: 'nbp', rule: 'pxelinux-boot-failed', words: /^Boot failed: press a key/ },
  'uefi-unsigned-ipxe': {
    last: 'nbp-fetch',
    rule: 'secure-boot-refused',
    words: /failed to load Boot0001 .*: Access Denied/,
  },
  'uefi-tampered-grub': {
    last: 'nbp',
    rule: 'secure-boot-refused',
    words: /^Verification failed: \(0x1A\) Security Violation$/,
  },
  'uefi-ipxe-tampered-kernel': {
    last: 'payload-fetch',
    rule: 'secure-boot-refused',
    words: /^Could not boot: Error 0x7f04818f/,
  },
  'arm-tampered-kernel': { last: 'config', rule: 'secure-boot-refused', words: /^error: bad shim signature\.$/ },
};

describe.each(Object.entries(completed))('%s', (name, rules) => {
  it('reaches every stage of its path, each by the evidence of its own loader', async () => {
    const { evidence, complete } = await evidenceOf(name);
    const proven = Object.fromEntries(
      evidence.flatMap((found) => (found.kind === 'stage' ? [[found.stage, found.rule] as const] : [])),
    );
    expect(proven).toMatchObject({ dhcp: 'first-lease', ...rules, kernel: 'linux-banner', userspace: 'token' });
    expect(complete).toBe(true);
  });

  it('has no failure among what its loader asks for and does not find', async () => {
    const { evidence } = await evidenceOf(name);
    expect(evidence.filter(({ kind }) => kind === 'failure')).toEqual([]);
  });
});

it('takes the token of an NBP that powers the machine off, before EDK II has sent its last acknowledgement, for its delivery', async () => {
  const { evidence, complete } = await evidenceOf('arm-probe-tftp-unacknowledged');
  const proven = evidence.flatMap((found) => (found.kind === 'stage' ? [`${found.stage} ${found.rule}`] : []));
  expect(proven.slice(2)).toEqual(['nbp-fetch nbp-ran', 'nbp token']);
  expect(complete).toBe(true);
});

describe.each(Object.entries(stopped))('%s', (name, { last, rule, words }) => {
  it('ends by the rule that names the reason, in the words of whoever refused', async () => {
    const { evidence, complete } = await evidenceOf(name);
    expect(complete).toBe(false);
    expect(evidence.findLast((found) => found.kind === 'stage')).toMatchObject({ stage: last });
    const ending = evidence.find((found) => found.kind === 'failure' && found.ends);
    expect(ending).toMatchObject({ rule, text: expect.stringMatching(words) });
  });
});

it('takes a token for a bare NBP as proof that the NBP ran, and of no stage beyond it', async () => {
  const { evidence, complete, plan } = await evidenceOf('uefi-probe');
  expect(plan.stagePath.at(-1)).toBe('nbp');
  expect(evidence.findLast((found) => found.kind === 'stage')).toMatchObject({ stage: 'nbp', rule: 'token' });
  expect(complete).toBe(true);
});
