import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { folderOfFile } from '../temporary-folder.ts';

const built = fileURLToPath(new URL('../../.build/payloads', import.meta.url));
const cache = fileURLToPath(new URL('../../.cache', import.meta.url));
const nonce = '00112233445566778899aabbccddeeff';
const token = `netboot-ok:${nonce}`;
const common = ['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio', '-m', '256'];

const folder = folderOfFile();

/** A payload with its nonce fields filled, as the harness fills them when it serves it. */
function patched(file) {
  const sidecar = file.replace(/\.[^.]*$/, '.json');
  const { nonce: field } = JSON.parse(readFileSync(`${built}/${sidecar}`, 'utf8'));
  const bytes = readFileSync(`${built}/${file}`);
  for (const offset of field.offsets) bytes.fill(nonce.padEnd(field.bytes, '\0'), offset, offset + field.bytes);
  expect(bytes.includes(token)).toBe(false);
  writeFileSync(join(folder, file), bytes);
  return join(folder, file);
}

/** The serial console's lines, once the guest has powered itself off. */
async function consoleOf(program, ...args) {
  const qemu = spawn(program, [...common, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const killer = setTimeout(() => qemu.kill('SIGKILL'), 120_000);
  let text = '';
  qemu.stdout.setEncoding('latin1').on('data', (chunk) => {
    text += chunk;
  });
  const [code] = await new Promise((resolve) => qemu.once('close', (...outcome) => resolve(outcome)));
  clearTimeout(killer);
  expect({ code, text }).toMatchObject({ code: 0 });
  return text.split(/[\r\n]+/);
}

const linux = {
  x86_64: {
    debian: 'amd64',
    console: 'ttyS0',
    machine: ['-M', 'q35', '-accel', 'tcg'],
    nic: 'e1000',
    pci: '8086:100e',
  },
  aarch64: {
    debian: 'arm64',
    console: 'ttyAMA0',
    machine: ['-M', 'virt', '-cpu', 'cortex-a57', '-accel', 'tcg'],
    nic: 'virtio-net-pci',
    pci: '1af4:1000',
  },
};

test.each(Object.keys(linux))(
  'the initrd for %s prints kernel, NIC, command line and token, and powers off',
  async (arch) => {
    const { debian, console, machine, nic, pci } = linux[arch];
    const installer = `${cache}/sets/bookworm/root/usr/lib/debian-installer/images/12/${debian}/text/debian-installer/${debian}`;
    const commandLine = `console=${console} nbh.nonce=${nonce} panic=-1 last=word`;
    const lines = await consoleOf(
      `qemu-system-${arch}`,
      ...machine,
      ...['-kernel', `${installer}/linux`, '-initrd', `${built}/linux-initrd-${arch}.cpio.gz`],
      ...['-append', commandLine, '-netdev', 'user,id=net,restrict=on', '-device', `${nic},netdev=net,romfile=`],
    );
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^kernel: [0-9.-]+-${debian}$`)));
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^nic: 0000:00:0[0-9].0 ${pci}$`)));
    expect(lines).toContain(`command line: ${commandLine}`);
    expect(lines).toContain(token);
  },
);

const flash = (code, vars) => [
  ...['-drive', `if=pflash,unit=0,format=raw,readonly=on,file=${code}`],
  ...['-drive', `if=pflash,unit=1,format=raw,snapshot=on,file=${vars}`],
];
const disks = {
  SeaBIOS: ['qemu-system-x86_64', '-M', 'pc,graphics=off', '-accel', 'tcg'],
  OVMF: [
    'qemu-system-x86_64',
    '-M',
    'q35',
    '-accel',
    'tcg',
    ...flash('/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'),
  ],
  AAVMF: [
    ...['qemu-system-aarch64', '-M', 'virt', '-cpu', 'cortex-a57', '-accel', 'tcg', '-boot', 'menu=on,splash-time=0'],
    ...flash('/usr/share/AAVMF/AAVMF_CODE.fd', '/usr/share/AAVMF/AAVMF_VARS.fd'),
  ],
};

test.each(Object.keys(disks))('the probe disk, and with it the probe for %s, prints the token', async (firmware) => {
  const [program, ...machine] = disks[firmware];
  const drive = ['-drive', `if=none,id=disk,format=raw,snapshot=on,file=${patched('probe-disk.img')}`];
  const lines = await consoleOf(program, ...machine, ...drive, '-device', 'virtio-blk-pci,drive=disk,bootindex=0');
  expect(lines).toContain(token);
});

test('the BIOS network boot program prints the token', async () => {
  patched('probe-bios.0');
  const user = `user,id=net,tftp=${folder},bootfile=probe-bios.0,restrict=on`;
  const lines = await consoleOf(
    ...['qemu-system-x86_64', '-M', 'pc,graphics=off', '-accel', 'tcg', '-netdev', user],
    ...['-device', 'virtio-net-pci,netdev=net,bootindex=0'],
  );
  expect(lines).toContain(token);
});
