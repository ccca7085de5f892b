import type { Configuration } from '../model/axes.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Failure, StageResult, Status, Verdict } from '../model/verdict.ts';
import type { Evidence, FailureEvidence, StageEvidence } from '../observe/evidence.ts';
import { boundText } from '../observe/machine-rules.ts';
import { createObserver } from '../observe/observer.ts';
import { compareWith } from './as-expected.ts';
import { judgeBoots } from './boots.ts';
import { observeConfiguration } from './configuration.ts';
import { diagnose } from './diagnosis.ts';
import { faultFindings } from './faults.ts';
import { lateness } from './lateness.ts';
import { otherDelivery } from './other-delivery.ts';
import { complaintAboutServer, serverFindings } from './server/server-findings.ts';
import { withUnmetFaults } from './unmet-faults.ts';

/** Console text may lag behind frames by this much. */
const orderToleranceMs = 1_000;

const isStage = (evidence: Evidence): evidence is StageEvidence => evidence.kind === 'stage';
const isFailure = (evidence: Evidence): evidence is FailureEvidence => evidence.kind === 'failure';

function stageResults(plan: Plan, found: readonly StageEvidence[]): StageResult[] {
  return plan.stagePath.map((stage) => {
    const evidence = found.find((candidate) => candidate.stage === stage);
    return {
      stage,
      reached: evidence !== undefined,
      atMs: evidence?.atMs ?? null,
      evidence: evidence ? `${evidence.rule}: ${evidence.text}` : null,
    };
  });
}

/** These prove a stage from a later one, so their time says nothing about the order. */
const afterTheFact: readonly string[] = ['initrd-ran', 'nbp-ran'];

function orderFindings(plan: Plan, found: readonly StageEvidence[]): string[] {
  const reached = plan.stagePath.flatMap((stage) =>
    found.filter((evidence) => evidence.stage === stage && !afterTheFact.includes(evidence.rule)).slice(0, 1),
  );
  return reached.flatMap((evidence, index) => {
    const before = reached[index - 1];
    return before && before.atMs > evidence.atMs + orderToleranceMs
      ? [`evidence out of order: ${evidence.stage} at ${evidence.atMs} ms, before ${before.stage} at ${before.atMs} ms`]
      : [];
  });
}

/** Evidence of another configuration than inspection of the files predicted. */
function predictionFindings(
  { prediction: { configuration, reasons } }: Plan,
  observed: Configuration | null,
): string[] {
  if (observed === null || configuration === null || configuration === observed) return [];
  return [`predicted configuration ${configuration} (${reasons.join('; ')}), observed ${observed}`];
}

/** Evidence of another configuration than the one declared; ambiguous evidence contradicts nothing. */
function contradictionOf({ scenario }: Plan, observed: Configuration | null): string | undefined {
  const declared = scenario.configuration;
  if (declared === undefined || observed === null || declared === observed) return undefined;
  const hint =
    declared === 1 && observed === 2 ? ' (iPXE in the place of a vendor\'s ROM is declared with "standIn": true)' : '';
  return `configuration ${declared} is declared, and the evidence is of configuration ${observed}${hint}`;
}

/** Records that could not take everything while the case went on. */
const incompleteRecords = (events: readonly HarnessEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'bounded' && !event.ends ? [`a record is incomplete: ${boundText(event)}`] : [],
  );

/** Why what was seen says nothing about the guest, however it ended. */
function troubleOf(plan: Plan, events: readonly HarnessEvent[], ending: Failure | null): string | undefined {
  const trouble = events.find((event) => event.source === 'run' && event.type === 'infrastructure');
  if (trouble?.source === 'run' && trouble.type === 'infrastructure') return trouble.message;
  const other = otherDelivery(plan, events);
  if (other !== undefined) return `${other}.`;
  return ending?.rule === 'guest-gone' ? `${ending.text} before the guest came to an end.` : undefined;
}

interface Undecided {
  status: Status;
  diagnosis: string;
}

const couldNotTell = (why: string): Undecided => ({ status: 'error', diagnosis: `The harness could not tell: ${why}` });

/** Why the guest cannot be judged, if so: a failure of the harness, QEMU gone, a log without an end, or a stop after lateness. */
function undecided(
  plan: Plan,
  events: readonly HarnessEvent[],
  { failure, stoppedAt }: Pick<Verdict, 'failure' | 'stoppedAt'>,
): Undecided | undefined {
  const trouble = troubleOf(plan, events, failure);
  if (trouble !== undefined) return couldNotTell(trouble);
  if (stoppedAt === null) return undefined;
  const end = events.findLast((event) => event.source === 'run' && event.type === 'ended');
  if (end?.source !== 'run' || end.type !== 'ended' || end.reason === 'interrupted') {
    const diagnosis = end ? 'The run was interrupted.' : 'The event log has no end: the run was killed.';
    return { status: 'interrupted', diagnosis };
  }
  const late = lateness(events, failure);
  return late === undefined ? undefined : couldNotTell(`${late}.`);
}

/** The date is the record's, not today's: a verdict stays what it was. */
function startOf(events: readonly HarnessEvent[]): string | undefined {
  const started = events.find((event) => event.source === 'run' && event.type === 'started');
  const at = started?.source === 'run' && started.type === 'started' ? Date.parse(started.at) : Number.NaN;
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}

const failureOf = ({ rule, atMs, text }: FailureEvidence): Failure => ({ rule, atMs, text });

/** What the guest did in one boot. */
function judgeBoot(plan: Plan, events: readonly HarnessEvent[]): Verdict {
  const observer = createObserver(plan);
  for (const event of events) observer.observe(event);
  const found = observer.evidence.filter(isStage);
  const stages = stageResults(plan, found);
  const failures = observer.evidence.filter(isFailure).map(failureOf);
  const remarks = observer.remarks.map(failureOf);
  const failure = observer.ending ? failureOf(observer.ending) : null;
  const lastStage = stages.findLast(({ reached }) => reached)?.stage ?? null;
  const stoppedAt = stages.find(({ reached }) => !reached)?.stage ?? null;
  const { configuration: observedConfiguration, standIn, finding } = observeConfiguration(plan, events);
  const findings = [...orderFindings(plan, found), ...(finding === null ? [] : [finding])];
  const faults = faultFindings(events);
  findings.push(...predictionFindings(plan, observedConfiguration), ...incompleteRecords(events), ...faults);

  const server = serverFindings(plan, events);
  const base = {
    ...{ stages, lastStage, stoppedAt, failure, observedConfiguration, ...(standIn && { standIn }), findings },
    ...(server.length > 0 && { serverFindings: server }),
  };
  const open = undecided(plan, events, base);
  if (open) return { ...base, ...open };

  const { asExpected, why } = compareWith(plan.scenario.expect, {
    stoppedAt,
    ending: failure,
    remarks,
    startedAt: startOf(events),
  });
  const stop = stoppedAt && diagnose({ plan, events, lastStage, stoppedAt, failure, failures });
  const contradiction = contradictionOf(plan, observedConfiguration);
  const injected = stop && faults.length > 0 && `Injected: ${faults.join('; ')}.`;
  const complaint = complaintAboutServer(plan.scenario, server);
  const parts = [
    stop,
    injected,
    why && `Not as expected: ${why}.`,
    contradiction && `Not as declared: ${contradiction}.`,
    complaint && `${complaint}.`,
  ];
  const status = asExpected && contradiction === undefined && complaint === undefined ? 'passed' : 'failed';
  return { ...base, status, diagnosis: parts.filter(Boolean).join(' ') || null };
}

/** What the guest did, from its plan and event log only: pure, so that a saved log is judged the same again. */
export function judge(plan: Plan, events: readonly HarnessEvent[]): Verdict {
  const verdict = plan.boots === undefined ? judgeBoot(plan, events) : judgeBoots(plan.boots, events, judgeBoot);
  return withUnmetFaults(plan, events, verdict);
}
