import { isDeepStrictEqual } from 'node:util';
import type { Inspections } from '../../assets/inspections.ts';
import { HarnessError } from '../../model/errors.ts';
import type { Input, InputRole } from '../../model/plan.ts';
import type { Resolved } from '../../model/resolved.ts';
import { type Scenario, scenarioSchema } from '../../model/scenario.ts';
import { type FoundCase, predicted } from '../found-case.ts';

type Located = Pick<FoundCase, 'scenario' | 'resolved'>;

/** What can be taken from one case and put into another. */
export interface Part {
  name: string;
  /** Inputs that come with it. */
  roles: readonly InputRole[];
  /** Fields of the scenario that come with it. */
  fields: readonly (keyof Scenario)[];
  take(from: Resolved, into: Resolved): Partial<Resolved>;
}

const files: readonly Part[] = [
  { name: 'qemu', roles: ['qemu'], fields: ['qemu'], take: ({ qemu }) => ({ qemu }) },
  {
    name: 'firmware',
    roles: ['firmware-code'],
    fields: ['firmware'],
    take: ({ firmware }, into) => ({ firmware: { ...firmware, vars: into.firmware.vars } }),
  },
  {
    name: 'variable-store',
    roles: ['firmware-vars'],
    fields: ['secureBoot'],
    take: ({ firmware: { vars } }, into) => ({ firmware: { ...into.firmware, vars } }),
  },
  { name: 'rom', roles: ['oprom'], fields: ['rom'], take: ({ oprom }) => ({ oprom }) },
  { name: 'nbp', roles: ['nbp'], fields: ['secondStage'], take: ({ nbp, loader }) => ({ nbp, loader }) },
  { name: 'companions', roles: ['second-stage'], fields: [], take: ({ companions }) => ({ companions }) },
  { name: 'kernel', roles: ['kernel'], fields: ['kernel'], take: ({ kernel }) => ({ kernel }) },
  { name: 'initrd', roles: ['initrd'], fields: ['initrd'], take: ({ initrd, overlay }) => ({ initrd, overlay }) },
  { name: 'served', roles: ['served'], fields: ['serve'], take: ({ served }) => ({ served }) },
  { name: 'disk', roles: ['disk'], fields: ['sanHook'], take: ({ san, disk }) => ({ san, disk }) },
  {
    name: 'provisioner',
    roles: ['provisioner'],
    fields: ['provisioner'],
    take: ({ provisioner }) => ({ provisioner }),
  },
];

/** Parts whose fields say more than which files they are: names, arguments. */
const saysMore: readonly string[] = ['served', 'provisioner'];

/** Names and claims, and where files come from: these make no difference to a guest. */
const unseen: readonly string[] = [
  ...['id', 'group', 'title', 'expect', 'configuration', 'set', 'nbpSet', 'waitsFor'],
  ...files.flatMap(({ fields }) => fields),
];

/** Every other field of a scenario is a part of its own. */
const settings: readonly Part[] = (Object.keys(scenarioSchema.shape) as (keyof Scenario)[])
  .filter((field) => !unseen.includes(field))
  .map((field) => ({
    name: field,
    roles: [],
    fields: [field],
    take: ({ transports }) => (field === 'transport' ? { transports } : {}),
  }));

const together = (name: string, parts: readonly Part[]): Part => ({
  name,
  roles: parts.flatMap(({ roles }) => roles),
  fields: parts.flatMap(({ fields }) => fields),
  take: (from, into) => Object.assign({}, ...parts.map((part) => part.take(from, into))),
});

/** A kernel that is its own NBP, or lies within it, cannot be exchanged without it. */
function partsOf(good: Resolved, bad: Resolved): Part[] {
  const inOneImage = [good, bad].some(({ loader }) => loader === 'uki' || loader === 'linux');
  const merged = [
    'nbp',
    'kernel',
    ...([good, bad].some(({ loader }) => loader === 'uki') ? ['companions', 'initrd'] : []),
  ];
  // A store is attached in the format of its code, and only where there is one.
  const isOneStore =
    good.firmware.format === bad.firmware.format && (good.firmware.vars === null) === (bad.firmware.vars === null);
  const groups = [...(inOneImage ? [merged] : []), ...(isOneStore ? [] : [['firmware', 'variable-store']])];
  const alone = files.filter(({ name }) => !groups.some((group) => group.includes(name)));
  const joined = groups.map((names) =>
    together(
      names.join(' and '),
      files.filter(({ name }) => names.includes(name)),
    ),
  );
  return [...alone, ...joined, ...settings];
}

const inputsOf = ({ resolved }: Located, { roles }: Part): Input[] =>
  resolved.inputs.filter(({ role }) => roles.includes(role));

function isSamePart(part: Part, good: Located, bad: Located): boolean {
  const identity = (one: Located) => inputsOf(one, part).map(({ role, sha256 }) => [role, sha256]);
  // With the same files it does not matter how the scenarios ask for them, unless there are none.
  if (!isDeepStrictEqual(identity(good), identity(bad))) return false;
  if (identity(good).length > 0 && !saysMore.includes(part.name)) return true;
  return part.fields.every((field) => isDeepStrictEqual(good.scenario[field], bad.scenario[field]));
}

/** Where two cases differ too much for exchanged parts to mean anything. */
function refuseStrangers(good: Located, bad: Located): void {
  const say = (what: string, was: string, is: string) => {
    if (was === is) return;
    throw new HarnessError(
      'usage',
      `the good case has ${what} ${was}, the bad one ${is}: no part of one fits the other`,
      {
        hint: 'Name two cases that differ in builds or settings alone.',
      },
    );
  };
  say('architecture', good.scenario.arch, bad.scenario.arch);
  say('payload', good.scenario.payload, bad.scenario.payload);
  say('firmware interface', good.resolved.firmware.interface, bad.resolved.firmware.interface);
}

/**
 * The parts in which two cases differ.
 * @throws HarnessError `usage` for cases of different architectures, payloads or firmware interfaces
 */
export function differingParts(good: Located, bad: Located): Part[] {
  refuseStrangers(good, bad);
  return partsOf(good.resolved, bad.resolved).filter((part) => !isSamePart(part, good, bad));
}

/** What a part is in a case, for people: its files, or its settings. */
export function partText(part: Part, located: Located): string {
  const inputs = inputsOf(located, part);
  if (inputs.length > 0) {
    return inputs
      .map(({ path, sha256, package: from }) => {
        const version = from === undefined ? '' : ` of ${from.name} ${from.version}`;
        return `${path}${version} (SHA-256 ${sha256.slice(0, 12)}…)`;
      })
      .join(', ');
  }
  const set = part.fields.flatMap((field) => {
    const value = located.scenario[field];
    return value === undefined ? [] : [typeof value === 'object' ? JSON.stringify(value) : String(value)];
  });
  return set.join(', ') || 'none';
}

function withPart(into: Located, from: Located, part: Part): Located {
  const fields = Object.fromEntries(part.fields.map((field) => [field, from.scenario[field]]));
  const scenario = Object.fromEntries(
    Object.entries({ ...into.scenario, ...fields }).filter(([, value]) => value !== undefined),
  ) as Scenario;
  const inputs = [...into.resolved.inputs.filter(({ role }) => !part.roles.includes(role)), ...inputsOf(from, part)];
  return { scenario, resolved: { ...into.resolved, ...part.take(from.resolved, into.resolved), inputs } };
}

/** A case with some parts of another, under a new id. */
export async function withParts(
  id: string,
  { into, from, parts }: { into: Located; from: Located; parts: readonly Part[] },
  inspections: Pick<Inspections, 'of'>,
): Promise<FoundCase> {
  for (const { scenario } of [into, from]) {
    if (scenario.boots === undefined) continue;
    throw new HarnessError(
      'usage',
      `${scenario.id} has several boots, and parts can be swapped only in a case with one`,
    );
  }
  const { scenario, resolved } = parts.reduce((one, part) => withPart(one, from, part), into);
  return predicted({ ...scenario, id }, resolved, inspections);
}
