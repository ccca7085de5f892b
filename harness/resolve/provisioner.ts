import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { isMissing } from '../assets/sets/artefact-set.ts';
import type { FoundCommand } from '../assets/sets/commands.ts';
import { isShared, ofOneGuest, type ProvisionerProgram, programsOf, relayOf } from '../model/provisioner.ts';
import type { Resolved, ResolvedProgram } from '../model/resolved.ts';
import { found, NotHere, type Resolving } from './resolving.ts';

/** A configuration becomes part of the plan. */
const maxTextBytes = 1 << 20;

/** A text, to be filled in, or a file that is too large or no text, to be copied. */
async function contentOf(path: string): Promise<{ text: string } | { path: string }> {
  const { size } = await stat(path);
  if (size > maxTextBytes) return { path };
  const content = await readFile(path);
  return isUtf8(content) && !content.includes(0) ? { text: content.toString('utf8') } : { path };
}

async function resolveFiles({ add }: Resolving, files: ProvisionerProgram['files'] = {}) {
  const resolved: Record<string, { text: string } | { path: string }> = {};
  for (const [name, file] of Object.entries(files)) {
    resolved[name] = 'text' in file ? file : await contentOf((await add('provisioner', file.path)).path);
  }
  return resolved;
}

async function findPacketPrograms({ sources: { sets } }: Resolving) {
  const [socat, ethtool] = await Promise.all([sets.command('socat'), sets.command('ethtool')]);
  return isMissing(socat) || isMissing(ethtool) ? undefined : { socat, ethtool };
}

/** Where no network can be made for it, no server of the user's can run. */
async function requireIsolation({ sources }: Resolving, hasPacketPrograms: boolean): Promise<void> {
  const isolation = await sources.isolation(hasPacketPrograms);
  if (!('impossible' in isolation)) return;
  throw new NotHere(`the provisioner cannot be isolated: ${isolation.impossible}. ${isolation.hint}`);
}

/** A server that guests share has no answer to which of them is meant. */
function refuseGuests({ scenario: { provisioner } }: Resolving, programs: readonly ResolvedProgram[]): void {
  if (provisioner === undefined || !isShared(provisioner)) return;
  const said = programsOf(provisioner).flatMap(({ command, cwd = '', env = {} }) => [
    ...command,
    cwd,
    ...Object.values(env),
  ]);
  const files = programs.flatMap((program) => Object.values(program.files));
  const texts = [...said, ...files.flatMap((file) => ('text' in file ? file.text : []))];
  const named = ofOneGuest.find((placeholder) => texts.some((text) => text.includes(placeholder)));
  if (named !== undefined)
    throw new NotHere(`the provisioner has a whole group's guests, and ${named} is of one of them`);
}

/** The programs of a user's server, and what their files hold; one that is running already needs none. */
export async function resolveProvisioner(resolving: Resolving): Promise<Resolved['provisioner']> {
  const { scenario, sources, add } = resolving;
  if (scenario.provisioner === undefined || relayOf(scenario.provisioner) !== undefined) return undefined;
  const programs: ResolvedProgram[] = [];
  for (const { command, files } of programsOf(scenario.provisioner)) {
    const { path, env } = found<FoundCommand>(await sources.sets.command(command[0] as string));
    await add('provisioner', path);
    programs.push({ path, env, files: await resolveFiles(resolving, files) });
  }
  const names = programs.flatMap((program) => Object.keys(program.files));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new NotHere(`two programs of the provisioner have a file ${twice}`);
  refuseGuests(resolving, programs);
  const packetPrograms = await findPacketPrograms(resolving);
  await requireIsolation(resolving, packetPrograms !== undefined);
  return { programs, packetPrograms };
}
