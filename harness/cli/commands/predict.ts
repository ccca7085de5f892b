import { configurationText } from '../../model/configuration-text.ts';
import { knownFacts } from '../../model/known-facts.ts';
import type { Scenario } from '../../model/scenario.ts';
import type { Prediction } from '../../predict/predict.ts';
import { findCase } from '../../run/found-case.ts';
import { openArtefacts } from '../artefacts.ts';
import { addCaseOptions, type CaseOptions, expandChosen, selectCells } from '../case-options.ts';
import type { AddCommand } from '../command.ts';
import { writeJson, writeLines } from '../io.ts';

interface PredictedCase {
  cell: Scenario;
  prediction: Prediction | { missing: string };
}

function lines({ cell, prediction }: PredictedCase): string[] {
  if ('missing' in prediction) return [`${cell.id}: no prediction: ${prediction.missing}`];
  const { configuration, stopsAt, reasons, facts } = prediction;
  const declared = cell.configuration ?? null;
  const predictedText = configurationText(configuration, configuration === 1 && cell.standIn === true);
  const expected = 'stopsAt' in cell.expect ? cell.expect.stopsAt : null;
  return [
    [
      `${cell.id}: ${configuration === null ? 'no configuration' : `configuration ${predictedText}`}`,
      ...(declared === configuration ? [] : [`declared ${declared ?? 'none'}`]),
      stopsAt === null ? 'reaches its last stage' : `stops at ${stopsAt}`,
      ...(expected === stopsAt ? [] : [`expected to ${expected === null ? 'reach it' : `stop at ${expected}`}`]),
    ].join(', '),
    ...reasons.map((reason) => `    ${reason}`),
    ...facts.map((id) => `    not seen in the files but known: ${knownFacts[id].source}`),
  ];
}

export const predictCommand: AddCommand = (program, io) => {
  addCaseOptions(program.command('predict'))
    .description('Predict how cases will end by inspecting their files, without booting.')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  netboot predict --nic e1000\n  netboot predict --set ./my-build --json')
    .action(async (ids: string[], options: CaseOptions & { json?: boolean }) => {
      const artefacts = await openArtefacts(options.set ?? [], io);
      const { cells } = await expandChosen(options, artefacts);
      const predicted: PredictedCase[] = [];
      for (const cell of selectCells(cells, ids, options)) {
        const found = await findCase(cell, artefacts);
        predicted.push({ cell, prediction: 'missing' in found ? found : found.prediction });
      }
      await artefacts.fingerprints.save();
      if (options.json) {
        const plain = predicted.map(({ cell, prediction }) => ({
          id: cell.id,
          declaredConfiguration: cell.configuration ?? null,
          expect: cell.expect,
          ...prediction,
        }));
        writeJson(io.stdout, plain);
      } else writeLines(io.stdout, predicted.flatMap(lines));
    });
};
