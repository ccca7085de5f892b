import { expansionOrder } from '../../matrix/cell-axes.ts';
import type { Expansion } from '../../matrix/expand-matrix.ts';
import { axisText } from '../../model/axis-text.ts';
import { declaredText } from '../../model/configuration-text.ts';
import type { Scenario } from '../../model/scenario.ts';
import { openArtefacts } from '../artefacts.ts';
import {
  addCaseOptions,
  axisFiltersOf,
  type CaseOptions,
  expandChosen,
  selectCells,
  warnOfVague,
} from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { writeJson, writeLines } from '../io.ts';

interface ListOptions {
  excluded?: boolean;
  json?: boolean;
}

function caseLine(cell: Scenario): string {
  const { id, expect, standIn } = cell;
  return [
    id,
    ...(standIn ? [`(configuration ${declaredText(cell)})`] : []),
    ...('stopsAt' in expect ? [`(stops at ${expect.stopsAt}: ${expect.reason})`] : []),
  ].join('  ');
}

const pairsLine = ({ group, chosen, possible }: Expansion['paired'][number]): string =>
  `${group}: ${chosen} of ${possible} combinations, every pair of values of two axes among them`;

export const listCommand: AddCommand = (program, io) => {
  addCaseOptions(program.command('list'))
    .description('List the cases, or what was left out of them.')
    .argument('[ids...]', 'case ids or group names, * for any text; all cases if none is given')
    .option('--excluded', 'list the combinations that are not cases, with reasons')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  netboot list --arch aarch64\n  netboot list --excluded\n  netboot list --matrix my.ts --json',
    )
    .action(async (ids: string[], options: CaseOptions & ListOptions) => {
      const artefacts = await openArtefacts(options.set ?? [], io);
      const { cells, excluded, paired } = await expandChosen(options, artefacts);
      if (options.excluded) {
        const filters = axisFiltersOf(options);
        const chosen = excluded.filter(({ axes }) =>
          expansionOrder.every((axis) => filters[axis]?.includes(axisText(axes, axis)) ?? true),
        );
        if (options.json) writeJson(io.stdout, chosen);
        else
          writeLines(
            io.stdout,
            chosen.map(({ id, reason }) => `${id}  (${reason})`),
          );
        return;
      }
      const chosen = selectCells(cells, ids, options);
      warnOfVague(chosen, io);
      if (options.json) writeJson(io.stdout, chosen);
      else writeLines(io.stdout, chosen.map(caseLine));
      const groups = new Set(chosen.map(({ group }) => group));
      writeLines(io.stderr, paired.filter(({ group }) => groups.has(group)).map(pairsLine));
    });
};
