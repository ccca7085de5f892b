// The ways to break a boot. Each row gives the breaks of one kind that keep a boot, or one of its uses of the network,
// from what is expected. A break has some of:
//   name    distinguishes the breaks of one kind
//   alter   the plan to run, made from the one given and damaged copies of files
//   after   the stage after which the break begins; default: the start
//   act     what to do then to the guest or its servers
//   loses   whether to drop a frame, given how many have passed since
//   shows   whether an event shows that the boot has met the break
//   meets   likewise for a frame from the guest, or one that is dropped
// A break without the last three has met the boot as soon as it is made.
import { setTimeout as pause } from 'node:timers/promises';
import { asksFor, comesToEndOf, isRequest, mattersOver } from './signs.mjs';

/** Enough for a client to begin what it then cannot finish. */
const firstFrames = 2;
/** A file of more than `bytes` is not complete after `frames`. */
const large = { bytes: 100_000, frames: 40 };
/** Shorter than any loader. */
const unknownBytes = 4096;
/** By then everything that QEMU wrote before it was stopped has arrived. */
const settleMs = 250;

const certificates = ['wrong-authority', 'wrong-name', 'expired'];

const servedNow = ({ serve }, names) => names.filter((name) => name in serve);
const isWhole = (file) => !('redirect' in file) && file.truncateToBytes === undefined;

/** The plan with some of its served files changed, or left out if `change` gives undefined. */
function withFiles(plan, names, change) {
  const entries = Object.entries(plan.serve).map(([name, file]) => [
    name,
    names.includes(name) ? change(file, name) : file,
  ]);
  return { ...plan, serve: Object.fromEntries(entries.filter(([, file]) => file !== undefined)) };
}

const half = (file, damaged) =>
  file.path === undefined
    ? { ...file, text: file.text.slice(0, file.text.length >> 1) }
    : { ...file, path: damaged.truncated(file.path) };

const lengthsOf = ({ deliveries }) =>
  Object.fromEntries(
    Object.values(deliveries)
      .flat()
      .map(({ name, bytes }) => [name, bytes]),
  );

/** Another file in QEMU's command line; `option` adds one that QEMU loads by default. */
const withFile = (path, damage, option) => (plan, damaged) => {
  const other = damaged[damage](path);
  const { argv } = plan.qemu;
  const changed = argv.some((argument) => argument.includes(path))
    ? argv.map((argument) => argument.replaceAll(path, other))
    : option(argv, other);
  return { ...plan, qemu: { ...plan.qemu, argv: changed } };
};

const firmwareOption = (argv, file) => [...argv, '-bios', file];
const romOption = (argv, file) =>
  argv.map((argument) => (argument.includes(',netdev=net0,') ? `${argument},romfile=${file}` : argument));

const pathOf = ({ inputs }, wanted) => inputs.find(({ role }) => role === wanted)?.path;

const isStop = ({ source, name }) => source === 'qmp' && name === 'STOP';
const isOwnExit = ({ source, type, byHarness }) => source === 'vm' && type === 'exited' && !byHarness;
const isServerHello = ({ source, type, from }) => source === 'wire' && type === 'tls' && from === 'server';

/** Called with one of a boot's uses of the network, and its plan. */
export const networkKinds = {
  // A server of the user's that ends is never taken for what a guest did.
  'server-dead': ({ after }, { provisioner }) =>
    provisioner !== undefined ? [] : [{ after, act: ({ network }) => network.stopServers(), meets: isRequest }],

  'port-refused': ({ transport }, { network }) =>
    network.tcp
      .filter(({ service }) => service === transport)
      .map(({ port }) => ({
        alter: (plan) => ({
          ...plan,
          network: { ...plan.network, tcp: plan.network.tcp.filter((one) => one.port !== port) },
        }),
        shows: (event) => event.type === 'tcp-refused' && event.port === port,
      })),

  'file-missing': ({ files }, plan) => {
    const names = servedNow(plan, files);
    if (names.length === 0) return [];
    return [{ alter: (whole) => withFiles(whole, names, () => undefined), shows: asksFor(names) }];
  },

  'file-truncated': ({ files, transport }, plan) => {
    const names = servedNow(plan, files).filter((name) => isWhole(plan.serve[name]));
    if (names.length === 0) return [];
    const shows = comesToEndOf(names);
    const alter = (whole, damaged) => withFiles(whole, names, (file) => half(file, damaged));
    // A server that is to cut its responses off does the same anyway.
    const isCutAnyway = plan.scenario.faults?.some(({ truncateToBytes }) => truncateToBytes !== undefined);
    if ((transport !== 'http' && transport !== 'https') || isCutAnyway) return [{ alter, shows }];
    const lengths = lengthsOf(plan);
    const cutOf = (name) => (lengths[name] ?? unknownBytes) >> 1;
    const breakOff = (whole) => withFiles(whole, names, (file, name) => ({ ...file, truncateToBytes: cutOf(name) }));
    return [
      { alter, shows },
      { name: 'midway', alter: breakOff, shows },
    ];
  },

  'frames-lost': ({ after, files }, plan) => {
    const meets = mattersOver(plan.scenario.ipVersion);
    const from = (frames) => ({ after, loses: (passed) => passed >= frames, meets });
    const isLarge = (lengthsOf(plan)[files[0]] ?? 0) > large.bytes;
    return [from(firstFrames), ...(isLarge ? [{ name: 'midway', ...from(large.frames) }] : [])];
  },

  // A valid certificate that must not be trusted cannot be made worse.
  'tls-wrong': ({ transport }, { tls, scenario }) => {
    const boots = 'reaches' in scenario.expect;
    if (transport !== 'https' || (tls.certificate === 'valid' && !boots)) return [];
    const others = certificates.filter((certificate) => certificate !== tls.certificate);
    return (boots ? others.slice(0, 1) : others).map((certificate) => ({
      name: certificate,
      alter: (plan) => ({ ...plan, tls: { ...plan.tls, certificate } }),
      shows: isServerHello,
    }));
  },
};

/** Called with a whole boot. */
export const machineKinds = {
  'guest-paused': ({ first }) => [{ after: first, act: ({ guest }) => guest.qmp.execute('stop'), shows: isStop }],

  'qemu-killed': ({ first }) => [
    { after: first, act: ({ guest }) => process.kill(guest.pid, 'SIGKILL'), shows: isOwnExit },
  ],

  'qemu-stalled': ({ last }) => [
    {
      after: last,
      async act({ guest }) {
        process.kill(guest.pid, 'SIGSTOP');
        await pause(settleMs);
      },
    },
  ],

  // A boot that gets as far as the network is broken there.
  'firmware-damaged': ({ plan, uses }) => {
    const path = pathOf(plan, 'firmware-code');
    return path === undefined || uses.length > 0 ? [] : [{ alter: withFile(path, 'halfErased', firmwareOption) }];
  },

  // Where the ROM has no effect, a blank one has none either.
  'rom-blank': ({ plan, usesRom }) => {
    const path = pathOf(plan, 'oprom');
    return path === undefined || !usesRom ? [] : [{ alter: withFile(path, 'blank', romOption) }];
  },
};
