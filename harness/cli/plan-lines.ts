import { declaredText } from '../model/configuration-text.ts';
import type { Input, Plan } from '../model/plan.ts';
import { shellWord } from '../model/shell-word.ts';
import { stageMeanings } from '../model/stages.ts';
import { seconds } from '../model/time-text.ts';
import { expectationText } from '../report/run-facts.ts';

/** The package and description of an input, as far as known. */
function originOf({ package: from, identity }: Input): string {
  const known = [from && `${from.name} ${from.version}`, identity].filter(Boolean);
  return known.length > 0 ? ` (${known.join('; ')})` : '';
}

/** An option and its value belong on one line. */
function argvLines(argv: readonly string[]): string[] {
  const lines: string[] = [];
  for (const word of argv) {
    const last = lines.at(-1);
    if (word.startsWith('-') || last === undefined || !/^-\S+$/.test(last)) lines.push(shellWord(word));
    else lines[lines.length - 1] = `${last} ${shellWord(word)}`;
  }
  return lines;
}

function conditionText(when: Plan['boot'][number]['when']): string {
  const facts = Object.entries(when).map(([fact, value]) => `${fact} ${[value].flat().join(' or ')}`);
  return facts.length > 0 ? facts.join(', ') : 'any client';
}

function servedText(file: Plan['serve'][string]): string {
  if ('path' in file) return file.path;
  return 'redirect' in file ? `redirect to ${file.redirect}` : 'inline text';
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

/** What a boot passes through, is offered and can fetch. */
function bootLines({ stagePath, boot, serve }: Pick<Plan, 'stagePath' | 'boot' | 'serve'>): string[] {
  return [
    'stages',
    ...indent(stagePath.map((stage) => `${stage.padEnd(14)}${stageMeanings[stage]}`)),
    'boot policy (the first rule that holds)',
    ...indent(
      boot.map(({ name, when, file, answer, options }) => {
        const offer = answer ? (file ?? 'an address only') : 'no answer';
        const raw = options.length > 0 ? `, ${options.length} raw options` : '';
        return `${name}: ${conditionText(when)} → ${offer}${raw}`;
      }),
    ),
    'served',
    ...indent(Object.entries(serve).map(([name, file]) => `${name}: ${servedText(file)}`)),
  ];
}

/** A section, where there is anything to say. */
const section = (title: string, lines: readonly string[] = []): string[] =>
  lines.length > 0 ? [title, ...indent(lines)] : [];

/** A plan for people, with everything that decides what the case does. */
export function planLines(plan: Plan): string[] {
  const { scenario, inputs, qemu, deadlines, provisioner, boots } = plan;
  return [
    scenario.id,
    ...indent([
      ...(scenario.title === undefined ? [] : [scenario.title]),
      `expected: ${expectationText(scenario.expect)}`,
      `configuration: ${scenario.configuration === undefined ? 'none declared' : declaredText(scenario)}`,
      `time allowed: ${seconds(deadlines.totalMs)} in all`,
    ]),
    ...(boots === undefined
      ? bootLines(plan)
      : boots.flatMap((boot, at) => [
          `boot ${at + 1}: ${boot.name} (${expectationText(boot.scenario.expect)})`,
          ...indent(bootLines(boot)),
        ])),
    ...section(
      'servers of your own',
      provisioner?.programs.map(({ argv }) => argv.map(shellWord).join(' ')),
    ),
    ...section(
      'faults',
      scenario.faults?.map((fault) => JSON.stringify(fault)),
    ),
    'inputs',
    ...indent(
      inputs.map((input) => `${input.role}: ${input.path} sha256 ${input.sha256.slice(0, 16)}…${originOf(input)}`),
    ),
    'command (accelerator and CPU are prepended)',
    ...indent([qemu.program, ...argvLines(qemu.argv)]),
  ];
}
