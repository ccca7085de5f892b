import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';
import type { Evidence, FailureEvidence, Rule } from './evidence.ts';
import { machineRules } from './machine-rules.ts';
import { createObserved } from './observed.ts';
import { createStandingRemarks, isRemark } from './remarks.ts';
import { serialRules } from './serial-rules.ts';
import { wireFailureRules } from './wire-failures.ts';
import { deliveryRules, wireRules } from './wire-rules.ts';

/** Which table reads which source. Servers' own events explain but never prove, except for what TLS hides. */
const tables: Partial<Record<HarnessEvent['source'], readonly Rule<never>[]>> = {
  serial: serialRules,
  wire: [...wireRules, ...wireFailureRules],
  http: deliveryRules,
  qmp: machineRules,
  vm: machineRules,
  run: machineRules,
};

/** The console may overtake these. */
const overtaken: readonly HarnessEvent['source'][] = ['wire', 'http'];

const maxRemarks = 500;

export interface Observer {
  /** New evidence from this event. */
  observe(event: HarnessEvent): Evidence[];
  readonly evidence: readonly Evidence[];
  /** The path is complete. */
  readonly complete: boolean;
  /** What ended the case, once something has. */
  readonly ending: FailureEvidence | undefined;
  /** What may explain the end: the last remark of each source still in force, and those read just after it. */
  readonly remarks: readonly FailureEvidence[];
}

/** Folds events into evidence: pure over the events given, so that a saved log gives what the live run gave. */
export function createObserver(plan: Plan): Observer {
  const stages = new Set<Stage>();
  const { observed, note } = createObserved(plan, stages);
  const evidence: Evidence[] = [];
  const remarks = createStandingRemarks();
  const isNews = createNewsFilter();
  const late: FailureEvidence[] = [];
  let ending: FailureEvidence | undefined;
  let closed = false;

  const isComplete = (): boolean => plan.stagePath.every((stage) => stages.has(stage));

  /** Applies rules to one event; a stage found counts for later rules. */
  function evidenceIn(event: HarnessEvent, rules: readonly Rule<never>[]): Evidence[] {
    const fresh: Evidence[] = [];
    for (const rule of rules) {
      const match = rule.match(event as never, plan, observed);
      if (!match) continue;
      const seen = { source: event.source, atMs: event.tMs, text: match.text };
      if ('failure' in match) fresh.push({ kind: 'failure', rule: match.failure, ends: match.ends, ...seen });
      else if (!stages.has(match.stage)) {
        stages.add(match.stage);
        fresh.push({ kind: 'stage', stage: match.stage, rule: rule.name, ...seen });
      }
    }
    return fresh;
  }

  function progressIn(event: HarnessEvent): Evidence[] {
    const fresh = evidenceIn(event, tables[event.source] ?? []);
    ending = fresh.find((one) => one.kind === 'failure' && one.ends) as FailureEvidence | undefined;
    remarks.after(event, fresh);
    return fresh;
  }

  /**
   * A verdict is final once its case has ended: later output of a dying guest does not change it. But console and wire
   * are read apart: what was sent before the end may be read after it. It reaches a stage, or says why the end came.
   */
  function lateIn(event: HarnessEvent): Evidence[] {
    const fresh = overtaken.includes(event.source) ? evidenceIn(event, tables[event.source] ?? []) : [];
    late.push(...fresh.filter(isRemark));
    return fresh;
  }

  return {
    evidence,
    get complete() {
      return isComplete();
    },
    get ending() {
      return ending;
    },
    get remarks() {
      return [...remarks.all(), ...late];
    },
    observe(event) {
      closed ||= event.source === 'run' && event.type === 'ended';
      if (closed || isComplete()) return [];
      note(event);
      const fresh = ending ? lateIn(event) : progressIn(event);
      const news = fresh.filter(isNews);
      evidence.push(...news);
      return news;
    },
  };
}

/** Keeps every end and stage, but each remark once and only so many of them. */
function createNewsFilter(): (one: Evidence) => boolean {
  const remarked = new Set<string>();
  return (one) => {
    if (one.kind === 'stage' || one.ends) return true;
    const key = `${one.rule} ${one.text}`;
    if (remarked.has(key) || remarked.size >= maxRemarks) return false;
    remarked.add(key);
    return true;
  };
}
