import { join } from 'node:path';
import { recordedLengths } from '../../../scenarios/recorded-lengths.ts';
import { type ServerAccount, serverAccount } from '../../judge/server/account.ts';
import { expandOnHost } from '../../matrix/expand-on-host.ts';
import { HarnessError } from '../../model/errors.ts';
import type { Reporter } from '../../model/reporter.ts';
import type { ServerFinding } from '../../model/server-findings.ts';
import type { CaseResult, Verdict } from '../../model/verdict.ts';
import { printable } from '../../report/printable.ts';
import { readEvents, readPlan } from '../../run/records/run-directory.ts';
import { type RunOptions, runMatrix } from '../../run/run-matrix.ts';
import { defaultTemplatesMiB } from '../../run/templates/template-store.ts';
import { openArtefacts } from '../artefacts.ts';
import { accelOption, collect } from '../case-options.ts';
import { type CheckedServer, checkMatrix } from '../check-matrix.ts';
import type { AddCommand } from '../command.ts';
import { exitCodeOfRun } from '../exit-code.ts';
import { writeJson, writeLines } from '../io.ts';
import { parseCount } from '../parse-count.ts';
import { runReporters } from '../reporters.ts';

interface CheckOptions {
  command?: string;
  relay: string[];
  forward: string[];
  file: string[];
  serves: string;
  out?: string;
  jobs?: number;
  accel: RunOptions['accel'];
  json?: boolean;
}

/** What the server did to one kind of client. */
interface Row extends ServerAccount {
  client: string;
  id: string;
  status: Verdict['status'];
  lastStage: Verdict['lastStage'];
  findings: ServerFinding[];
}

function rowOf({ id, scenario, verdict, run }: CaseResult, outDir: string): Row {
  const directory = run.directory === null ? undefined : join(outDir, run.directory);
  const account = directory && serverAccount(readPlan(directory), readEvents(directory));
  return {
    client: scenario.title ?? scenario.group,
    id,
    status: verdict.status,
    lastStage: verdict.lastStage,
    offered: account ? account.offered : [],
    loaded: account ? account.loaded : [],
    findings: verdict.serverFindings ?? [],
  };
}

const head = ['client', 'offered', 'loaded', 'got to', 'verdict', 'findings'];

/** Columns as wide as their longest entry. */
function tableLines(rows: readonly Row[]): string[] {
  const cells = rows.map(({ client, offered, loaded, lastStage, status, findings }) => [
    client,
    offered.join(' ') || '-',
    loaded.join(' ') || '-',
    lastStage ?? '-',
    status,
    [...new Set(findings.map(({ name }) => name))].join(' ') || '-',
  ]);
  const lines = [head, ...cells].map((line) => line.map(printable));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function serverOf({ command, relay, forward, file: files, serves }: Omit<CheckOptions, 'accel'>): CheckedServer {
  if (command !== undefined && relay.length === 0 && forward.length === 0) {
    return { command, files, serves: serves.split(',') };
  }
  if (command === undefined && relay.length > 0 && files.length === 0) return { relay, forward };
  throw new HarnessError('usage', 'check-server: expected --command with --file, or --relay with --forward', {
    hint: 'A server is either started here, or running already.',
  });
}

export const checkServerCommand: AddCommand = (program, io, end) => {
  program
    .command('check-server')
    .description('Boot one guest of each kind of client from a DHCP, proxyDHCP, TFTP or HTTP server of yours.')
    .option('--command <line>', 'the server and its arguments, in the foreground; {{…}} is filled in')
    .option(
      '--relay <host:port>',
      'or a DHCP server that is running already, on loopback: the harness is its relay agent; may be repeated',
      collect,
      [],
    )
    .option(
      '--forward <url=host:port>',
      'with --relay: what it names, and where that is on this host; may be repeated',
      collect,
      [],
    )
    .option('--file <path>', 'a file for {{dir}}, the folder that it starts in; may be repeated', collect, [])
    .option(
      '--serves <list>',
      'what it serves: dhcp, proxydhcp, dhcpv6, router-advertisements, tftp, http',
      'dhcp,tftp',
    )
    .option('--out <dir>', 'where the results go (default: .runs/<time>)')
    .option('--jobs <n>', 'guests at once (default: as many as the host can carry)', parseCount)
    .addOption(accelOption().default('auto'))
    .option('--json', 'the table as JSON on standard output, and the progress on standard error')
    .addHelpText(
      'after',
      `
The clients are BIOS, x64 UEFI and ARM 64-bit UEFI; iPXE from the ROM, PXE and HTTP boot; over IPv6 too with dhcpv6.
Each passes if the server leads it to the end: firmware to {{nbp}}, then iPXE to {{script}}, both in {{tree}}; and if
nothing is found about the server. harness/services/provisioner/README.md lists placeholders and findings.

A server behind --relay is asked by DHCP, at [::1]:PORT by DHCPv6, and knows no placeholders. What leads to the end is the
harness's, at 10.0.2.2 and fd00::2 by TFTP, and by HTTP for HTTP boot: snponly.efi or ipxe-arm64.efi, then boot.ipxe. Files
of its own are where --forward says and nowhere else; a script of its own goes on with "chain tftp://10.0.2.2/boot.ipxe".
What such a server needs to be heard is in harness/services/relay/README.md.

Examples:
  netboot check-server --command 'dnsmasq --conf-file={{dir}}/dnsmasq.conf --no-daemon --user=root' --file dnsmasq.conf
  netboot check-server --relay 127.0.0.1:6767 --forward tftp://10.0.2.3=127.0.0.1:6969`,
    )
    .action(async ({ out, jobs, accel, json = false, ...asked }: CheckOptions) => {
      const server = serverOf(asked);
      const artefacts = await openArtefacts([], io);
      const { cells } = await expandOnHost(
        checkMatrix(server),
        { source: 'check-server', sets: [] },
        artefacts.answers,
      );
      const { reporter, failures } = runReporters(io, { setDirs: artefacts.setDirs, quiet: json });
      let outDir = '';
      const noted: Reporter = {
        ...reporter,
        onRunStart(run) {
          ({ outDir } = run);
          return reporter.onRunStart?.(run);
        },
      };
      const result = await runMatrix({
        ...artefacts,
        matrixName: 'check-server',
        cells,
        outDir: out,
        jobs,
        accel,
        repeat: 1,
        recordedLengths,
        templates: { keep: false, limitBytes: defaultTemplatesMiB * (1 << 20) },
        reporter: noted,
        signal: io.signal,
      });
      const rows = result.cases.map((one) => rowOf(one, outDir));
      if (json) writeJson(io.stdout, rows);
      else writeLines(io.stdout, ['', ...tableLines(rows)]);
      writeLines(io.stderr, failures);
      end(exitCodeOfRun(result, failures));
    });
};
