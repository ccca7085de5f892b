import type { BootRule } from '../model/boot-rule.ts';
import type { Network, Plan } from '../model/plan.ts';
import { interfaceName } from '../model/provisioner.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import {
  authorityFile,
  diskFile,
  enrolsAuthority,
  fds,
  planArgv,
  planCpu,
  planMemoryMiB,
  variablesFile,
} from './argv.ts';
import { type BootFileFacts, names } from './boot-files.ts';
import { planBootPolicy } from './boot-policy.ts';
import { planDeadlines } from './deadlines.ts';
import { type LoaderConfig, planLoaderConfig, sanName } from './loader-config.ts';
import { planNetwork, serverOf } from './network.ts';
import { fillPlaceholders, type PlaceholderValues } from './placeholders.ts';
import { planProvisioner } from './provisioner.ts';
import { noncePatch, planDeliveries, planServed } from './served-files.ts';
import { planStagePath } from './stage-path.ts';

/** What the plan of one boot is made from. */
interface BootFacts {
  scenario: Scenario;
  resolved: Resolved;
  /** What inspecting the files predicts: reported, and used in diagnoses; decides nothing. */
  prediction: Plan['prediction'];
}

/** What a plan is made from. */
export interface PlanFacts extends BootFacts {
  /** What the guest must print at the end: lower-case hex, fresh for every guest. */
  nonce: string;
  /** Each boot of a scenario with several. */
  boots?: readonly BootFacts[] | undefined;
}

/** A scenario with its files found → everything decided before QEMU starts. Pure. */
export function makePlan(facts: PlanFacts): Plan {
  const { scenario, resolved, boots, nonce } = facts;
  const machine = planMachineFiles(facts);
  const [first, ...others] = boots ?? [];
  if (first === undefined) return planBoot(facts, machine);
  const planned = [first, ...others].map((boot, at) => {
    // A token of its own for each boot; the disk prints the same one whenever it boots.
    const own = boot.scenario.payload === 'disk' ? nonce : `${nonce}${at + 1}`;
    const name = scenario.boots?.[at]?.name ?? String(at + 1);
    return { name, ...planBoot({ ...boot, nonce: own }, machine) };
  });
  const { name: _, ...plan } = planned[0] as (typeof planned)[number];
  return { ...plan, scenario, nonce, inputs: resolved.inputs, boots: planned };
}

type Machine = Pick<Plan, 'machineFiles'>;

/** One boot of a machine. */
function planBoot({ scenario, resolved, prediction, nonce }: PlanFacts, machine: Machine): Omit<Plan, 'boots'> {
  const network = planNetwork(scenario, resolved);
  const server = network.ipv6?.serverIp ?? network.serverIp;
  const servers = serversOf(network, resolved);
  // Nothing that is served can print what the disk has to.
  const served = scenario.payload === 'disk' ? `${nonce}0` : nonce;
  const config = configOf(scenario, resolved, { nonce: served, server, servers });
  const fill = fillerOf(network, resolved, { nonce: served, server, config });
  const serve = planServed(scenario, resolved, { configs: config.files, nonce: served, fill });
  const stagePath = planStagePath(scenario, resolved);
  const { configuration, stopsAt, reasons, facts } = prediction;
  return {
    version: 1,
    scenario,
    interface: resolved.firmware.interface,
    nonce,
    qemu: planQemu(scenario, resolved, { network, ...machine }),
    inputs: resolved.inputs,
    network,
    ...planSan(resolved, nonce),
    ...machine,
    ...planTls(scenario, resolved, network),
    ...planProvisioner(scenario, resolved, fill),
    boot: scenario.boot?.map((rule) => filledIn(rule, fill)) ?? defaultPolicy(scenario, resolved, { config, servers }),
    serve,
    loader: resolved.loader,
    transports: resolved.transports,
    prediction: { configuration, stopsAt, reasons, facts },
    stagePath,
    deliveries: planDeliveries(scenario, resolved, { configs: config.files, serve }),
    deadlines: planDeadlines(scenario, stagePath),
  };
}

type Servers = BootFileFacts['servers'];

const serversOf = (network: Network, { transports }: Resolved): Servers => ({
  nbp: serverOf(network, transports.nbp),
  config: serverOf(network, transports.config),
  payload: serverOf(network, transports.payload),
});

/** Fills in what a plan knows in a user's texts. */
function fillerOf(
  { guestMac: mac, guestIp: guest, provisioner }: Network,
  { nbp }: Resolved,
  { config, ...known }: Pick<PlaceholderValues, 'nonce' | 'server'> & { config: LoaderConfig },
): (text: string) => string {
  const values: PlaceholderValues = {
    ...{ ...known, mac, guest, interface: interfaceName },
    ...{ provisioner: provisioner?.ip, provisioner6: provisioner?.ip6, nbp: nbp?.name, script: config.byDhcp },
  };
  return (text) => fillPlaceholders(text, values);
}

function configOf(scenario: Scenario, resolved: Resolved, known: Pick<BootFileFacts, 'nonce' | 'server' | 'servers'>) {
  const { loader, transports, overlay } = resolved;
  return planLoaderConfig(scenario, loader, {
    arch: scenario.arch,
    ...known,
    transports,
    kernelArgs: scenario.kernelArgs ?? '',
    initrds: [names.initrd, ...(overlay ? [names.overlay] : [])],
  });
}

function planQemu(scenario: Scenario, resolved: Resolved, plan: Pick<Plan, 'network' | 'machineFiles'>): Plan['qemu'] {
  return {
    program: resolved.qemu.program,
    env: resolved.qemu.env,
    argv: planArgv(scenario, resolved, plan),
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

/** The disk, if any boot is to end there; and what several boots keep. */
function planMachineFiles({ resolved, boots, nonce }: PlanFacts): Machine {
  const { disk } = [resolved, ...(boots ?? []).map((boot) => boot.resolved)].find(({ disk }) => disk) ?? {};
  const { code, flat, vars } = resolved.firmware;
  const variables = vars ?? (flat ? null : code);
  if (disk === undefined && boots === undefined) return {};
  return {
    machineFiles: {
      ...(disk && { [diskFile]: { path: disk.path, patch: noncePatch(disk.nonce, nonce) } }),
      ...(boots !== undefined && variables !== null && { [variablesFile]: { path: variables, patch: [] } }),
    },
  };
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
  { config, servers }: { config: LoaderConfig; servers: Servers },
): BootRule[] {
  return planBootPolicy({ nbp: nbp?.name, script: config.byDhcp, transports, servers, ipVersion });
}
