import type { BootRule } from '../model/boot-rule.ts';
import type { Network, Plan } from '../model/plan.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { authorityFile, enrolsAuthority, fds, planArgv, planCpu, planMemoryMiB } from './argv.ts';
import { names } from './boot-files.ts';
import { planBootPolicy } from './boot-policy.ts';
import { planDeadlines } from './deadlines.ts';
import { type LoaderConfig, planLoaderConfig, sanName } from './loader-config.ts';
import { planNetwork } from './network.ts';
import { fillPlaceholders } from './placeholders.ts';
import { noncePatch, planDeliveries, planServed } from './served-files.ts';
import { planStagePath } from './stage-path.ts';

/** What a plan is made from. */
export interface PlanFacts {
  scenario: Scenario;
  resolved: Resolved;
  /** What inspecting the files predicts: reported, and used in diagnoses; decides nothing. */
  prediction: Plan['prediction'];
  /** What the guest must print at the end: lower-case hex, fresh for every guest. */
  nonce: string;
}

/** A scenario with its files found → everything decided before QEMU starts. Pure. */
export function makePlan({ scenario, resolved, prediction, nonce }: PlanFacts): Plan {
  const network = planNetwork(scenario, resolved);
  const server = network.ipv6?.serverIp ?? network.serverIp;
  const fill = (text: string): string => fillPlaceholders(text, { nonce, server, mac: network.guestMac });
  const config = configOf(scenario, resolved, { nonce, server });
  const serve = planServed(scenario, resolved, { configs: config.files, nonce, fill });
  const stagePath = planStagePath(scenario, resolved);
  const { configuration, stopsAt, reasons, facts } = prediction;
  return {
    version: 1,
    scenario,
    interface: resolved.firmware.interface,
    nonce,
    qemu: planQemu(scenario, resolved, network),
    inputs: resolved.inputs,
    network,
    ...planSan(resolved, nonce),
    ...planTls(scenario, resolved, network),
    boot: scenario.boot?.map((rule) => filledIn(rule, fill)) ?? defaultPolicy(scenario, resolved, { config, server }),
    serve,
    loader: resolved.loader,
    transports: resolved.transports,
    prediction: { configuration, stopsAt, reasons, facts },
    stagePath,
    deliveries: planDeliveries(scenario, resolved, { configs: config.files, serve }),
    deadlines: planDeadlines(scenario, stagePath),
  };
}

function configOf(scenario: Scenario, resolved: Resolved, { nonce, server }: { nonce: string; server: string }) {
  const { loader, transports, overlay } = resolved;
  return planLoaderConfig(scenario, loader, {
    arch: scenario.arch,
    nonce,
    server,
    transports,
    kernelArgs: scenario.kernelArgs ?? '',
    initrds: [names.initrd, ...(overlay ? [names.overlay] : [])],
  });
}

function planQemu(scenario: Scenario, resolved: Resolved, network: Network): Plan['qemu'] {
  return {
    program: resolved.qemu.program,
    env: resolved.qemu.env,
    argv: planArgv(scenario, resolved, { network }),
    cpu: planCpu(scenario, resolved),
    fds,
    memoryMiB: planMemoryMiB(scenario),
  };
}

function planSan({ san }: Resolved, nonce: string): Pick<Plan, 'san'> {
  if (!san) return {};
  const { disk, nonce: field, programRoot } = san;
  return { san: { iqn: sanName, disk: disk.path, patch: noncePatch(field, nonce), programRoot } };
}

function planTls(scenario: Scenario, resolved: Resolved, network: Network): Pick<Plan, 'tls'> {
  if (!network.tcp.some(({ service }) => service === 'https')) return {};
  const certificate = scenario.certificate ?? 'valid';
  return { tls: { certificate, ...(enrolsAuthority(resolved, network) ? { authorityFile } : {}) } };
}

function filledIn(rule: BootRule, fill: (text: string) => string): BootRule {
  return {
    ...rule,
    ...(rule.file === undefined ? {} : { file: fill(rule.file) }),
    options: rule.options.map((option) =>
      option.op !== 'withhold' && 'ascii' in option.value
        ? { ...option, value: { ascii: fill(option.value.ascii) } }
        : option,
    ),
  };
}

function defaultPolicy(
  { ipVersion }: Scenario,
  { nbp, transports }: Resolved,
  { config, server }: { config: LoaderConfig; server: string },
): BootRule[] {
  return planBootPolicy({ nbp: nbp?.name, script: config.byDhcp, transports, server, ipVersion });
}
