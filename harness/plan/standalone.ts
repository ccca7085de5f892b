import { withoutHarness } from '../model/own-wiring.ts';
import type { Plan } from '../model/plan.ts';
import { names } from './boot-files.ts';
import { userStack } from './network.ts';

/** A case without the harness: QEMU's user network offers one boot file and serves a folder by TFTP. */
export interface Standalone {
  program: string;
  /** Relative to the folder that holds everything else. */
  argv: string[];
  /** Input files by their name in the folder. */
  files: Record<string, string>;
  /** What is served in addition to the plan's tree, by name. */
  extraTexts: Record<string, string>;
  /** How the boot differs from the harness's. */
  differs: string[];
}

export interface StandaloneFacts {
  accel: keyof Plan['qemu']['cpu'];
  /** The NBP is an iPXE that looks for `autoexec.ipxe` where it was loaded from. */
  nbpRunsAutoexec: boolean;
}

/** The served tree's folder. */
export const tftpFolder = 'tftp';

const services: Record<Plan['network']['tcp'][number]['service'], string> = {
  http: 'HTTP',
  https: 'HTTPS',
  iscsi: 'iSCSI',
  nfs: 'NFS',
  portmap: 'NFS',
};

/** Why QEMU alone cannot do what the case needs; the first that applies. */
const obstacles: readonly ((plan: Plan) => string | false)[] = [
  ({ network }) => network.provisioner !== undefined && 'it boots from a server of its own',
  ({ boots }) => boots !== undefined && 'its machine is switched off and on again',
  ({ machineFiles }) => machineFiles !== undefined && 'its machine has a disk, which prints the nonce of one run',
  ({ scenario }) => scenario.faults !== undefined && 'its network or servers do something wrong on purpose',
  ({ scenario }) => scenario.vlan !== undefined && 'it moves into a VLAN',
  ({ network }) => network.ipv6 !== undefined && 'it boots over IPv6',
  ({ network }) => network.proxyDhcp && 'it needs a proxyDHCP server',
  ({ network }) =>
    network.tcp.length > 0 &&
    `it needs ${[...new Set(network.tcp.map(({ service }) => services[service]))].join(' and ')}, and QEMU's user network serves files only by TFTP`,
  ({ boot }) => boot.some(({ options }) => options.length > 0) && 'its boot rules send raw DHCP options',
  ({ boot }) => boot.some(({ answer }) => !answer) && 'its boot rules leave some clients without an answer',
];

/** Boot files that the policy offers, without duplicates, in its order. */
const offeredFiles = ({ boot }: Plan): string[] => [...new Set(boot.flatMap(({ file }) => file ?? []))];

interface Offer {
  bootFile: string | undefined;
  extraTexts: Record<string, string>;
  differs: string[];
}

/** The one boot file to offer to every client, where that gives the same boot. */
function planOffer(plan: Plan, { nbpRunsAutoexec }: StandaloneFacts): Offer | { impossible: string } {
  const files = offeredFiles(plan);
  const [first, second, third] = files;
  const isConditional = plan.boot.some(({ when }) => Object.keys(when).length > 0);
  if (second === undefined) {
    const differs = isConditional ? [`every client is offered ${first ?? 'no boot file'}, whatever it is`] : [];
    return { bootFile: first, extraTexts: {}, differs };
  }
  // The default policy: an iPXE is loaded, asks again, and gets its script.
  const nbp = plan.deliveries.nbp[0]?.name;
  if (third !== undefined || second !== nbp || first !== names.script) {
    return { impossible: `its boot rules offer ${files.join(' and ')} to different clients` };
  }
  if (!nbpRunsAutoexec) {
    return { impossible: `${nbp} asks DHCP for its script, and would be offered itself again` };
  }
  return {
    bootFile: nbp,
    extraTexts: {
      'autoexec.ipxe': ['#!ipxe', 'dhcp', `chain tftp://${plan.network.serverIp}/${names.script}`, ''].join('\n'),
    },
    differs: [`${nbp} finds its script as autoexec.ipxe, not by DHCP`],
  };
}

const quoted = (value: string): string => value.replaceAll(',', ',,');

/** Input files that QEMU opens itself, each by a unique name in the folder. */
function inputFiles({ inputs, qemu: { argv } }: Plan): Record<string, string> {
  const isNamed = (path: string) =>
    argv.some((word) => word === path || word.endsWith(`=${quoted(path)}`) || word.includes(`=${quoted(path)},`));
  const files: Record<string, string> = {};
  for (const { path, role } of inputs.filter((input) => isNamed(input.path))) {
    const name = path.split('/').at(-1) ?? role;
    files[name in files ? `${role}-${name}` : name] = path;
  }
  return files;
}

/** The plan's arguments with QEMU's user network and this terminal. */
function standaloneArgv({ qemu: { argv } }: Plan, netdev: string): string[] | undefined {
  // The data folders of the chosen QEMU come first.
  const own = argv.slice(argv.indexOf('-nodefaults'));
  return withoutHarness(own, { console: ['-serial', 'stdio'], network: ['-netdev', netdev] });
}

/**
 * The same boot without the harness, for reports to people who do not have it, or the reason why there is none. Everything
 * that QEMU opens is relative to one folder.
 */
export function planStandalone(plan: Plan, facts: StandaloneFacts): Standalone | { impossible: string } {
  for (const obstacle of obstacles) {
    const reason = obstacle(plan);
    if (reason !== false) return { impossible: reason };
  }
  const offer = planOffer(plan, facts);
  if ('impossible' in offer) return offer;
  const { bootFile, extraTexts, differs } = offer;
  const bootOption = bootFile === undefined ? '' : `,bootfile=${quoted(bootFile)}`;
  const argv = standaloneArgv(plan, `user,id=net0,${userStack.ipv4},tftp=${tftpFolder}${bootOption}`);
  if (argv === undefined) return { impossible: 'its plan was made by an incompatible version' };

  const files = inputFiles(plan);
  const localised = argv.map((word) =>
    Object.entries(files).reduce((done, [name, path]) => {
      if (done === path) return `./${name}`;
      return done.replaceAll(`=${quoted(path)}`, `=./${quoted(name)}`);
    }, word),
  );
  const cpu = plan.qemu.cpu[facts.accel];
  return {
    program: plan.qemu.program.split('/').at(-1) as string,
    argv: ['-accel', facts.accel, ...(cpu === undefined ? [] : ['-cpu', cpu]), ...localised],
    files,
    extraTexts,
    differs: [
      ...differs,
      ...(plan.scenario.rom === 'bundled' ? ['the option ROM is the one that comes with the QEMU in PATH'] : []),
      'DHCP has no option 175: iPXE waits up to 3 s longer for proxyDHCP offers',
      'QEMU answers router solicitations itself, with a prefix',
      "files come from QEMU's own TFTP server, which does not support windowsize",
    ],
  };
}
