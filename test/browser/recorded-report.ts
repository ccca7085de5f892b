import { fileURLToPath } from 'node:url';
import type { RunResult } from '../../harness/model/verdict.ts';
import type { HtmlOptions } from '../../harness/report/html/report-html.ts';
import { reportHtml } from '../../harness/report/html/report-html.ts';
import { readResults } from '../../harness/run/records/read-results.ts';
import { runRecords } from '../../harness/run/records/run-records.ts';

/** fixtures/report/run: a run with two wrong expectations, a stop that is right, and a case that cannot be run. */
export const recordedRunDir = fileURLToPath(new URL('../../fixtures/report/run', import.meta.url));

export const ids = {
  bios: 'bios-ipxe-rom.x86_64.pc.seabios@bookworm.e1000.bundled',
  stopped: 'uefi-no-driver.x86_64.q35.ovmf@bookworm.e1000.none.snponly',
  tooFar: 'bios-expected-to-stop.x86_64.pc.seabios@bookworm.e1000.bundled',
  refused: 'shim-ipxe.x86_64.q35.ovmf@bookworm.virtio-net-pci.none.shim-grub.linux.sb-microsoft',
  linux: 'linux-arm.aarch64.virt.aavmf@bookworm.virtio-net-pci.none.ipxe.config-http+payload-http.linux',
  notRun: 'arm-snp-rom.aarch64.virt.aavmf@bookworm.e1000.snp.ipxe',
} as const;

export const recordedResult = (): RunResult => readResults(recordedRunDir);

/** Where it is said to lie. */
const place = { command: 'netboot', setDirs: [], outDir: '/runs/recorded' };

/** report.html of the recorded run, or of a changed one. */
export function recordedReport(result = recordedResult(), options: Partial<HtmlOptions> = {}): Promise<string> {
  return reportHtml(result, { place, records: runRecords(recordedRunDir), ...options });
}

export const caseAddress = (id: string, more = ''): string => `#case=${encodeURIComponent(id)}${more}`;
