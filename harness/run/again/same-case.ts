import { isSameRecord } from '../../model/canonical-json.ts';
import type { Input, Plan } from '../../model/plan.ts';
import type { StartedQemu } from '../records/case-directory.ts';

/** A case as it was run, or as it would be. */
export interface PlannedCase {
  plan: Plan;
  /** Undefined if the record does not say. */
  qemu: StartedQemu | undefined;
}

/** Maps every string within a value. */
export function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [change(key), mapTexts(item, change)]));
}

/** Normalises what differs between runs or machines: nonce and paths of inputs. */
function withoutAccidents<T>(value: T, { nonce, inputs }: Plan): T {
  const names = new Map<string, string>([[nonce, '<nonce>']]);
  // Commas are doubled in QEMU's options.
  for (const { path, role } of inputs)
    for (const name of [path, path.replaceAll(',', ',,')]) names.set(name, `<${role}>`);
  const longestFirst = [...names].filter(([name]) => name !== '').sort(([a], [b]) => b.length - a.length);
  const change = (text: string) => longestFirst.reduce((done, [name, stands]) => done.replaceAll(name, stands), text);
  return mapTexts(value, change) as T;
}

const shortHash = (sha256: string): string => `SHA-256 ${sha256.slice(0, 16)}…`;

function inputDifferences(then: readonly Input[], now: readonly Input[]): string[] {
  const roles = new Set([...then, ...now].map(({ role }) => role));
  const of = (inputs: readonly Input[], role: Input['role']) => inputs.filter((input) => input.role === role);
  return [...roles].flatMap((role) => {
    const [before, after] = [of(then, role), of(now, role)];
    const places = Array.from({ length: Math.max(before.length, after.length) }, (_, at) => [before[at], after[at]]);
    return places.flatMap(([was, is]) => {
      if (was?.sha256 === is?.sha256) return [];
      if (is === undefined) return [`${role}: was ${was?.path}, now absent`];
      if (was === undefined) return [`${role}: was absent, now ${is.path}`];
      const moved = was.path === is.path ? '' : `${is.path} `;
      return [`${role}: ${was.path} had ${shortHash(was.sha256)}, and ${moved}has ${shortHash(is.sha256)}`];
    });
  });
}

/** Words of one list missing from the other, counting duplicates. */
function onlyIn(words: readonly string[], others: readonly string[]): string[] {
  const left = [...others];
  return words.filter((word) => {
    const at = left.indexOf(word);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function argumentDifferences(then: readonly string[], now: readonly string[]): string[] {
  const [gone, added] = [onlyIn(then, now), onlyIn(now, then)];
  if (gone.length === 0 && added.length === 0) return [];
  const list = (words: readonly string[]) => (words.length > 0 ? words.join(' ') : 'nothing');
  return [`QEMU's arguments: then ${list(gone)}, now ${list(added)}`];
}

function qemuDifferences(then: PlannedCase, now: PlannedCase): string[] {
  if (then.qemu === undefined || now.qemu === undefined) {
    return argumentDifferences(
      withoutAccidents(then.plan.qemu.argv, then.plan),
      withoutAccidents(now.plan.qemu.argv, now.plan),
    );
  }
  const said = (what: string, was: string, is: string) => (was === is ? [] : [`${what} was ${was}, now ${is}`]);
  const hasOtherAccel = then.qemu.accel !== now.qemu.accel;
  return [
    ...said('QEMU', then.qemu.version, now.qemu.version),
    ...said('the accelerator', then.qemu.accel, now.qemu.accel),
    // Another accelerator implies another CPU model, which is no further difference.
    ...(hasOtherAccel
      ? []
      : argumentDifferences(withoutAccidents(then.qemu.argv, then.plan), withoutAccidents(now.qemu.argv, now.plan))),
  ];
}

/** What the harness does for the guest, by the name used in a difference. */
const services: Record<string, (plan: Plan) => unknown> = {
  'the boot policy': ({ boot }) => boot,
  'what is served': ({ serve }) => serve,
  'the network': ({ network }) => network,
  'the HTTPS server': ({ tls }) => tls,
  // Where its programs are depends on the machine.
  'the provisioner': ({ provisioner }) =>
    provisioner && {
      ...provisioner,
      programs: provisioner.programs.map(({ argv: [, ...rest], env, ...program }) => ({ ...program, rest })),
      adapter: '',
      packetPrograms: '',
    },
  'the disk': ({ machineFiles }) => machineFiles,
  'the later boots': ({ boots }) =>
    boots?.map(({ inputs: _, provisioner: __, qemu: { argv }, ...boot }) => ({ ...boot, qemu: argv })),
  // Where the target's programs are depends on the machine.
  'the iSCSI disk': ({ san }) => san && { ...san, programRoot: '' },
};

function serviceDifferences(then: Plan, now: Plan): string[] {
  return Object.entries(services).flatMap(([name, of]) =>
    isSameRecord(withoutAccidents(of(then), then), withoutAccidents(of(now), now))
      ? []
      : [`${name}: planned differently now`],
  );
}

/**
 * How a case differs from its record: contents of inputs, QEMU's version, accelerator and arguments, and what is served.
 * File locations, the nonce and time allowed to a user at the console do not count.
 */
export function differencesOf(then: PlannedCase, now: PlannedCase): string[] {
  return [
    ...inputDifferences(then.plan.inputs, now.plan.inputs),
    ...qemuDifferences(then, now),
    ...serviceDifferences(then.plan, now.plan),
  ];
}
