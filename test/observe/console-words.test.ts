import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../harness/model/plan.ts';
import { createConsole } from '../../harness/observe/console.ts';
import type { Evidence } from '../../harness/observe/evidence.ts';
import { createObserver } from '../../harness/observe/observer.ts';
import { recordedRun } from '../judge/recorded-run.ts';

const { plan: uefi } = recordedRun('uefi-no-driver');
const { plan: bios } = recordedRun('bios-ipxe-rom');

/** What the rules make of bytes on the serial port, rendered as a console. */
function evidenceIn(plan: Plan, ...pieces: (string | Buffer)[]): Evidence[] {
  const observer = createObserver(plan);
  const screen = createConsole((line) => observer.observe({ tMs: 1, source: 'serial', type: 'line', ...line }));
  for (const piece of pieces) {
    screen.push(Buffer.from(piece as string));
    // As where a busy guest is not let run for a while in the middle of a line.
    screen.pause();
  }
  return [...observer.evidence];
}

const failuresIn = (plan: Plan, ...pieces: (string | Buffer)[]) =>
  evidenceIn(plan, ...pieces).flatMap((one) => (one.kind === 'failure' ? [{ rule: one.rule, ends: one.ends }] : []));
const textOfEnd = (plan: Plan, ...pieces: string[]) =>
  evidenceIn(plan, ...pieces).find((one) => one.kind === 'failure' && one.ends)?.text;

describe("the firmware's words", () => {
  it.each([
    ['behind a letter of the shell', 'UBdsDxe: No bootable option or device was found.\r\n', 'bds-nothing'],
    ['behind a prompt', 'FS0:\\> UEFI Interactive Shell v2.2\r\n', 'uefi-shell'],
    [
      'behind what was being downloaded',
      ' Downloading NBP file...Synchronous Exception at 0x000000004F98B1C0\r\n',
      'uefi-exception',
    ],
    ['behind dots', '>>Start PXE over IPv4.PXE-E16: No valid offer received.\r\n', 'pxe-error'],
    ['behind what GRUB was loading', 'Loading...grub rescue> ', 'grub-prompt'],
  ])('are found %s', (_, text, rule) => {
    expect(failuresIn(uefi, text)).toContainEqual({ rule, ends: true });
  });

  it('are found in the log of a shell that got no further than its first letter', () => {
    const log = readFileSync(new URL('../../fixtures/logs/uefi-shell-cut-short/serial.raw', import.meta.url));
    expect(failuresIn(uefi, log)).toContainEqual({ rule: 'bds-nothing', ends: true });
  });

  it.each(['GNU GRUB  version 2.06', 'Error: Could not retrieve NBP file size from HTTP server.'])(
    'that userspace prints are not those of firmware or loader: %s',
    (text) => {
      const kernel = '[    0.000000] Linux version 6.1.0-15-amd64\r\n';
      const said = ['UEFI Interactive Shell v2.2', 'No bootable device.', 'PXE-E18: x', 'error: y', 'grub> '];
      const lines = [text, ...said].map((line) => `${line}\r\n`).join('');
      for (const plan of [uefi, bios]) expect(failuresIn(plan, kernel + lines)).toEqual([]);
    },
  );

  it('are no error of UEFI HTTP boot on a machine with a legacy BIOS', () => {
    const text = '  Error: Could not open x\r\n';
    expect(failuresIn(uefi, text)).toEqual([{ rule: 'http-boot-error', ends: true }]);
    expect(failuresIn(bios, text)).toEqual([]);
  });
});

describe('a line that may go on', () => {
  const words = '  PXE-E18: Server response timeout.';

  it('ends a boot with all of its words, wherever the guest pauses in it', () => {
    for (let cut = 0; cut <= words.length; cut++) {
      expect(textOfEnd(uefi, words.slice(0, cut), words.slice(cut), '\r\n')).toBe(words.trim());
    }
  });

  it('is a remark where it never does', () => {
    expect(failuresIn(uefi, words)).toEqual([{ rule: 'pxe-error', ends: false }]);
  });

  it('ends a boot at once where it is a prompt', () => {
    expect(failuresIn(uefi, 'grub> ')).toEqual([{ rule: 'grub-prompt', ends: true }]);
  });
});

describe('a line that SeaBIOS breaks at the last column', () => {
  /** As iPXE prints it: a dot more for every second that a busy host takes. */
  const error = (dots: number) =>
    `https://10.0.2.2/boot.ipxe${'.'.repeat(dots)} Permission denied (https://ipxe.org/0216eb3c)`;
  const broken = (text: string): string => text.replace(/.{80}(?=.)/g, (row) => `${row}\r\n`);

  it('has the same meaning, however many dots come before the words', () => {
    for (let dots = 3; dots <= 60; dots++) {
      const found = evidenceIn(bios, `\r\n${broken(error(dots))}\r\nNo more network devices\r\n`);
      const rules = found.flatMap((one) => (one.kind === 'failure' ? [one.rule] : []));
      expect({ dots, rules }).toEqual({ dots, rules: ['ipxe-untrusted', 'ipxe-error', 'ipxe-no-device'] });
    }
  });

  it('is not one with a line below that only follows it', () => {
    const full = 'https://ipxe.org/'.padStart(80, '.');
    expect(failuresIn(bios, `${full}\r\n\r\n0216eb3c\r\n`)).toEqual([]);
    expect(failuresIn(bios, `${full.slice(1)}\r\n0216eb3c\r\n`)).toEqual([]);
  });
});
