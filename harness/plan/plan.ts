import type { Loader } from '../model/axes.ts';
import type { BootRule } from '../model/boot-rule.ts';
import type { Plan } from '../model/plan.ts';
import type { Resolved } from '../model/resolved.ts';
import type { Scenario } from '../model/scenario.ts';
import { authorityFile, enrolsAuthority, fds, planArgv, planCpu, planMemoryMiB } from './argv.ts';
import {
  type BootFileFacts,
  type ConfigFile,
  grubConfig,
  linuxScript,
  names,
  sanScript,
  syslinuxConfig,
  tokenScript,
} from './boot-files.ts';
import { planBootPolicy } from './boot-policy.ts';
import { planDeadlines } from './deadlines.ts';
import { planNetwork } from './network.ts';
import { fillPlaceholders } from './placeholders.ts';
import { expectedFile, noncePatch, planServed } from './served-files.ts';
import { planStagePath } from './stage-path.ts';

/** A loader's configuration files in the order they are fetched, and whether DHCP names the first. */
interface PlannedConfig {
  files: [ConfigFile, ...ConfigFile[]];
  byDhcp: boolean;
}

const sanName = 'iqn.2026-01.example.netboot:disk';

function scriptFor({ payload, sanHook }: Scenario, facts: BootFileFacts): string {
  if (payload === 'iscsi') return sanScript(facts, sanName);
  if (payload === 'script' || payload === 'probe') return tokenScript(facts);
  return linuxScript(facts, sanHook ? sanName : undefined);
}

/** The loader's configuration; none for a bare NBP. */
function configFor(scenario: Scenario, loader: Loader, facts: BootFileFacts): PlannedConfig | undefined {
  switch (loader) {
    case 'grub':
    case 'shim-grub':
      return { files: grubConfig(facts), byDhcp: false };
    case 'pxelinux':
    case 'syslinux':
      return { files: [{ name: 'pxelinux.cfg/default', text: syslinuxConfig(facts) }], byDhcp: false };
    case 'linux':
    case 'uki':
    case 'probe':
    case 'custom':
      return undefined;
    default:
      return { files: [{ name: names.script, text: scriptFor(scenario, facts) }], byDhcp: true };
  }
}

function planSan({ san }: Resolved, nonce: string): Pick<Plan, 'san'> {
  if (!san) return {};
  const { disk, nonce: field, programRoot } = san;
  return { san: { iqn: sanName, disk: disk.path, patch: noncePatch(field, nonce), programRoot } };
}

function planTls(scenario: Scenario, resolved: Resolved, network: Plan['network']): Pick<Plan, 'tls'> {
  if (!network.tcp.some(({ service }) => service === 'https')) return {};
  const certificate = scenario.certificate ?? 'valid';
  return { tls: { certificate, ...(enrolsAuthority(resolved, network) ? { authorityFile } : {}) } };
}

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
  const { loader, transports } = resolved;
  const network = planNetwork(scenario, resolved);
  const server = network.ipv6?.serverIp ?? network.serverIp;
  const facts: BootFileFacts = {
    arch: scenario.arch,
    nonce,
    server,
    transports,
    kernelArgs: scenario.kernelArgs ?? '',
    initrds: [names.initrd, ...(resolved.overlay ? [names.overlay] : [])],
  };
  const fill = (text: string): string => fillPlaceholders(text, { nonce, server, mac: network.guestMac });

  const { nbp, kernel, initrd, overlay } = resolved;
  const config = configFor(scenario, loader, facts);
  const configs = config?.files ?? [];
  const serve = planServed(scenario, resolved, configs, nonce, fill);
  const expectedOf = (name: string, bytes: number) => expectedFile(scenario, serve, name, bytes);
  const boot: BootRule[] =
    scenario.boot?.map((rule) => ({
      ...rule,
      ...(rule.file === undefined ? {} : { file: fill(rule.file) }),
      options: rule.options.map((option) =>
        option.op !== 'withhold' && 'ascii' in option.value
          ? { ...option, value: { ascii: fill(option.value.ascii) } }
          : option,
      ),
    })) ??
    planBootPolicy({
      nbp: nbp?.name,
      script: config?.byDhcp ? config.files[0].name : undefined,
      transports,
      server,
      ipVersion: scenario.ipVersion,
    });
  const stagePath = planStagePath(scenario, resolved);

  return {
    version: 1,
    scenario,
    interface: resolved.firmware.interface,
    nonce,
    qemu: {
      program: resolved.qemu.program,
      env: resolved.qemu.env,
      argv: planArgv(scenario, resolved, { network }),
      cpu: planCpu(scenario, resolved),
      fds,
      memoryMiB: planMemoryMiB(scenario),
    },
    inputs: resolved.inputs,
    network,
    ...planSan(resolved, nonce),
    ...planTls(scenario, resolved, network),
    boot,
    serve,
    loader,
    transports,
    prediction: {
      configuration: prediction.configuration,
      stopsAt: prediction.stopsAt,
      reasons: prediction.reasons,
      facts: prediction.facts,
    },
    stagePath,
    deliveries: {
      nbp: nbp ? [expectedOf(nbp.name, nbp.bytes)] : [],
      config: configs.map(({ name, text }) => expectedOf(name, Buffer.byteLength(text))),
      payload: [
        ...(kernel ? [expectedOf(names.kernel, kernel.bytes)] : []),
        ...(initrd ? [expectedOf(names.initrd, initrd.bytes)] : []),
        ...(overlay ? [expectedOf(names.overlay, overlay.bytes)] : []),
      ],
    },
    deadlines: planDeadlines(scenario, stagePath),
  };
}
