import { type Comparison, changeClasses, changeMeanings } from '../../compare/compare.ts';
import { axisText } from '../../model/axis-text.ts';
import { isStandIn } from '../../model/configuration-text.ts';
import { type Axis, axisShape } from '../../model/scenario.ts';
import { stageMeanings } from '../../model/stages.ts';
import { type CaseResult, findingTexts, type RunResult } from '../../model/verdict.ts';
import { changeText, commonText, comparisonTitle } from '../comparison.ts';
import { configurationMeanings } from '../configurations.ts';
import { costLine, expectationText, totalsLine } from '../run-facts.ts';
import type { CaseSummary, Overview, RunComparison } from './report-data.ts';

const axes = Object.keys(axisShape) as Axis[];

function summaryOf(result: CaseResult, hasRecord: boolean): CaseSummary {
  const { id, scenario, verdict, run } = result;
  const { status, lastStage, stoppedAt, failure, diagnosis, observedConfiguration } = verdict;
  return {
    id,
    group: scenario.group,
    title: scenario.title ?? null,
    axes: Object.fromEntries(axes.map((axis) => [axis, axisText(scenario, axis)])) as Record<Axis, string>,
    status,
    lastStage,
    stoppedAt,
    rule: failure?.rule ?? null,
    expected: expectationText(scenario.expect),
    diagnosis,
    findings: findingTexts(verdict),
    declared: scenario.configuration ?? null,
    predicted: run.predictedConfiguration,
    observed: observedConfiguration,
    standIn: isStandIn(result),
    boots: (verdict.boots ?? []).map(({ name, status }) => ({ name, status })),
    durationMs: run.durationMs,
    guestCpuMs: run.guestCpuMs,
    hasRecord,
  };
}

function comparisonOf(comparison: Comparison): RunComparison {
  const classes = changeClasses.map((name) => ({
    name,
    meaning: changeMeanings[name],
    common: commonText(comparison, name) ?? null,
    changes: comparison.changes
      .filter((change) => change.class === name)
      .map((change) => ({ id: change.id, text: changeText(change) })),
  }));
  return {
    title: comparisonTitle(comparison),
    joined: comparison.joined,
    classes: classes.filter(({ changes }) => changes.length > 0),
    notes: comparison.notes,
  };
}

/** What the page shows first; `withRecord` are the ids of cases whose records it holds. */
export function overviewOf(
  result: RunResult,
  withRecord: ReadonlySet<string>,
  comparisons: readonly Comparison[] = [],
): Overview {
  const { matrix, startedAt, host, totals, notes } = result;
  return {
    version: 1,
    matrix,
    startedAt,
    host,
    totals,
    totalsLine: totalsLine(result),
    costLine: costLine(result),
    notes,
    axes,
    cases: result.cases.map((one) => summaryOf(one, withRecord.has(one.id))),
    stageMeanings,
    configurationMeanings,
    comparisons: comparisons.map(comparisonOf),
  };
}
