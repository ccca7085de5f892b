import type { Plan } from '../model/plan.ts';
import { beforeFetch } from '../model/stages.ts';

/**
 * Everything that a guest can see before it asks the network its first question, as text without paths and nonce: two
 * plans with the same text have the same boot up to there. Undefined where that early boot is itself what the case is
 * about, or where not all that it sees is known.
 */
export function earlyMachine({ scenario, qemu, inputs, tls, machineFiles }: Plan): string | undefined {
  // Arguments of the user's own may name anything; firmware reads the run's certificate authority as it starts; a disk has
  // the run's nonce; what several boots keep is no template's; and a link that goes down is seen by the guest at once. Other
  // faults are told by its answers, which have to be those of the template.
  const isOwn = scenario.qemuArgs !== undefined || tls?.authorityFile !== undefined || machineFiles !== undefined;
  const losesLink = scenario.faults?.some((fault) => 'linkDownMs' in fault) ?? false;
  if (scenario.cold || isOwn || losesLink) return undefined;
  const byLength = inputs.toSorted((a, b) => b.path.length - a.path.length);
  const content = (argument: string): string =>
    byLength.reduce(
      (text, { path, sha256 }) => text.replaceAll(path.replaceAll(',', ',,'), sha256).replaceAll(path, sha256),
      argument,
    );
  const { program, argv, cpu, memoryMiB } = qemu;
  return JSON.stringify({ program, argv: argv.map(content), cpu, memoryMiB });
}

/**
 * Up to where a boot is saved: its first question to the network, or its first DHCPREQUEST, which EDK II sends 3.9 s after
 * the first OFFER, having waited for others.
 */
export type Moment = 'question' | 'request';

/**
 * Everything that firmware can see on the network before its first DHCPREQUEST: it has fetched nothing by then, so the
 * rules that count are those which ask for nothing to have been. Undefined where others than the harness answer, where
 * answers are spoilt on purpose or come over IPv6 too, where the guest may never get as far, and for BIOS, which waits for
 * no other offers.
 */
export function firstOffer({ scenario, network, boot, interface: kind }: Plan): string | undefined {
  const { faults, ipVersion, expect } = scenario;
  const mayStop = 'stopsAt' in expect && beforeFetch.includes(expect.stopsAt);
  if (kind !== 'uefi' || faults !== undefined || ipVersion === 6 || network.provisioner || mayStop) return undefined;
  // Which TCP ports are open shows later.
  const { tcp: _, ...seen } = network;
  const rules = boot.filter(({ when }) => !when.served?.length).map(({ name: _, ...rule }) => rule);
  return JSON.stringify({ network: seen, rules });
}
