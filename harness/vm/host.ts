import { execa } from 'execa';
import { HarnessError } from '../model/errors.ts';
import type { Capacity } from '../os/capacity.ts';
import { programIdentity } from '../os/find-program.ts';
import { oncePerKey } from '../os/once-per-key.ts';

/** What one QEMU binary can do, as reported by the binary itself. */
export interface QemuFacts {
  program: string;
  /** As QEMU prints it, such as `7.2.22`. */
  version: string;
  /** Device names from `-device help`. */
  devices: ReadonlySet<string>;
  /** The NICs among them: those QEMU lists as network devices. */
  nics: readonly string[];
  /** `-sandbox` is compiled in. */
  sandbox: boolean;
  /** Accelerators compiled in; whether they work is another matter. */
  accels: ReadonlySet<string>;
}

/** A program, and its additions to the environment. */
export interface QemuProgram {
  program: string;
  env: Record<string, string>;
}

async function ask({ program, env }: QemuProgram, args: readonly string[]): Promise<string> {
  const asked = await execa(program, args, { env, reject: false, timeout: 20_000 });
  const { stdout, stderr, failed, code, shortMessage } = asked;
  if (failed && code === 'ENOENT') {
    throw new HarnessError('missing-program', `${program} is not installed (not found in PATH)`, {
      hint: '`netboot doctor` lists what is missing and how to install it.',
    });
  }
  // Also where it has printed something: what it did not come to say would be taken for what it cannot do.
  if (failed) {
    throw new HarnessError('qemu-failed', `${shortMessage}: ${stderr.slice(0, 300)}`, {
      hint: 'Run that command: QEMU lists what it can do, and exits with 0.',
    });
  }
  return stdout;
}

/** `-device help` groups devices under headings; a device line is `name "e1000", bus PCI, …`. */
function parseDevices(help: string): { devices: Set<string>; nics: string[] } {
  const devices = new Set<string>();
  const nics: string[] = [];
  let heading = '';
  for (const line of help.split('\n')) {
    const name = /^name "([^"]+)"/.exec(line)?.[1];
    if (name === undefined) heading = line.trim() || heading;
    else {
      devices.add(name);
      if (heading === 'Network devices:') nics.push(name);
    }
  }
  return { devices, nics };
}

async function probe(qemu: QemuProgram): Promise<QemuFacts> {
  const [version, deviceHelp, help, accelHelp] = await Promise.all([
    ask(qemu, ['--version']),
    ask(qemu, ['-device', 'help']),
    ask(qemu, ['-help']),
    ask(qemu, ['-accel', 'help']),
  ]);
  return {
    program: qemu.program,
    version: /version (\S+)/.exec(version)?.[1] ?? 'unknown',
    ...parseDevices(deviceHelp),
    sandbox: /^-sandbox /m.test(help),
    accels: new Set(
      accelHelp
        .split('\n')
        .slice(1)
        .map((line) => line.trim())
        .filter(Boolean),
    ),
  };
}

const probes = oncePerKey<QemuFacts>();

/**
 * Asks a QEMU binary, once while it stays the same.
 * @throws HarnessError `missing-program` if there is none, `qemu-failed` if it does not answer to the end
 */
export async function probeQemu(qemu: QemuProgram): Promise<QemuFacts> {
  const identity = programIdentity(qemu.program);
  if (identity === undefined) return probe(qemu);
  const facts = await probes(JSON.stringify([identity, qemu.env]), () => probe(qemu));
  return { ...facts, program: qemu.program };
}

export const sandboxArgs = ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'];

export interface HostFacts {
  cores: number;
  memoryMiB: number;
  platform: string;
  node: string;
}

export function describeHost({ cores, memoryMiB }: Capacity): HostFacts {
  return { cores, memoryMiB, platform: `${process.platform} ${process.arch}`, node: process.version };
}
