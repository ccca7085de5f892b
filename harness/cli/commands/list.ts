import { expansionOrder } from '../../matrix/cell-axes.ts';
import type { Expansion } from '../../matrix/expand-matrix.ts';
import { axisText } from '../../model/axis-text.ts';
import { declaredText } from '../../model/configuration-text.ts';
import type { Scenario } from '../../model/scenario.ts';
import { findObstacles, type Obstacle } from '../../run/obstacles.ts';
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

/** Why this host cannot run cells, by their ids. */
type Obstacles = ReadonlyMap<string, Obstacle>;

function caseLine(cell: Scenario, obstacles: Obstacles): string {
  const { id, expect, standIn, waitsFor } = cell;
  const obstacle = obstacles.get(id);
  return [
    id,
    ...(standIn ? [`(configuration ${declaredText(cell)})`] : []),
    ...('stopsAt' in expect ? [`(stops at ${expect.stopsAt}: ${expect.reason})`] : []),
    ...(obstacle ? [obstacle.waits ? `(waits for ${waitsFor})` : `(not run here: ${obstacle.reason})`] : []),
  ].join('  ');
}

/** How many cells a run here would be missing, if any. */
function lackLines(cells: readonly Scenario[], obstacles: Obstacles): string[] {
  const lacking = cells.filter(({ id }) => obstacles.has(id));
  const waiting = lacking.filter(({ id }) => obstacles.get(id)?.waits).length;
  const missing = lacking.length - waiting;
  return [
    ...(missing > 0 ? [`${missing} of ${cells.length} cannot be run here, which fails a run of them`] : []),
    ...(waiting > 0 ? [`${waiting} of ${cells.length} wait for a set of yours`] : []),
  ];
}

const pairsLine = ({ group, chosen, possible }: Expansion['paired'][number]): string =>
  `${group}: ${chosen} of ${possible} combinations, every pair of values of two axes among them`;

export const listCommand: AddCommand = (program, io) => {
  addCaseOptions(program.command('list'))
    .description('List the cases and which of them cannot be run here, or the combinations that are not cases.')
    .option('--excluded', 'list the combinations that are not cases, with reasons')
    .option('--json', 'as JSON; `notRun` says why a case cannot be run here')
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
      const obstacles = await findObstacles(chosen, artefacts);
      if (options.json) {
        const notRun = (id: string) => {
          const reason = obstacles.get(id)?.reason;
          return reason === undefined ? {} : { notRun: reason };
        };
        writeJson(
          io.stdout,
          chosen.map((cell) => ({ ...cell, ...notRun(cell.id) })),
        );
      } else
        writeLines(
          io.stdout,
          chosen.map((cell) => caseLine(cell, obstacles)),
        );
      writeLines(io.stderr, lackLines(chosen, obstacles));
      const groups = new Set(chosen.map(({ group }) => group));
      writeLines(io.stderr, paired.filter(({ group }) => groups.has(group)).map(pairsLine));
    });
};
