import type { Plan } from '../model/plan.ts';

/**
 * Everything that a guest can see before it asks the network its first question, as text without paths and nonce: two
 * plans with the same text have the same boot up to there. Undefined where that early boot is itself what the case is
 * about, or where not all that it sees is known.
 */
export function earlyMachine({ scenario, qemu, inputs, tls, machineFiles }: Plan): string | undefined {
  // Arguments of the user's own may name anything; firmware reads the run's certificate authority as it starts; a disk has
  // the run's nonce; and what several boots keep is no template's.
  const isOwn = scenario.qemuArgs !== undefined || tls?.authorityFile !== undefined || machineFiles !== undefined;
  if (scenario.cold || isOwn) return undefined;
  const byLength = inputs.toSorted((a, b) => b.path.length - a.path.length);
  const content = (argument: string): string =>
    byLength.reduce(
      (text, { path, sha256 }) => text.replaceAll(path.replaceAll(',', ',,'), sha256).replaceAll(path, sha256),
      argument,
    );
  const { program, argv, cpu, memoryMiB } = qemu;
  return JSON.stringify({ program, argv: argv.map(content), cpu, memoryMiB });
}
