import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Request {
  type: string;
  file?: string;
}

const requestsOf = (name: string): string[] =>
  readFileSync(new URL(`../../fixtures/logs/${name}/events.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Request)
    .flatMap(({ type, file }) => (type === 'tftp-request' && file !== undefined ? [file] : []));

const configSearch = [
  'pxelinux.cfg/01-52-54-00-12-34-56',
  ...Array.from({ length: 8 }, (_, dropped) => `pxelinux.cfg/${'0A00020F'.slice(0, 8 - dropped)}`),
  'pxelinux.cfg/default',
];

it.each(['bios-pxelinux', 'uefi-syslinux'])(
  '%s asks by MAC, by ever less of its address, then for the default',
  (name) => {
    expect(requestsOf(name).filter((file) => file.startsWith('pxelinux.cfg/'))).toEqual(configSearch);
  },
);

it("knows shim's and GRUB's own questions", () => {
  const asked = requestsOf('arm-shim-grub-unacknowledged');
  expect(asked.slice(2, 6)).toEqual([
    'revocations_sku.efi',
    'revocations_sbat.efi',
    'shim_certificate_0.efi',
    'grubaa64.efi',
  ]);
  expect(asked.slice(6)).toEqual([
    ...['command', 'fs', 'crypto', 'terminal'].map((list) => `grub/arm64-efi/${list}.lst`),
    'grub/grub.cfg',
    'linux',
    'initrd.gz',
  ]);
});
