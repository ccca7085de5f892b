// Which boots to break, and how.

import { axisText } from '../../../.build/harness/model/axis-text.js';
import { makePlan } from '../../../.build/harness/plan/plan.js';
import { findCase } from '../../../.build/harness/run/found-case.js';
import { bootOf } from './boot.mjs';
import { machineKinds, networkKinds } from './kinds.mjs';

export const kindNames = [...Object.keys(networkKinds), ...Object.keys(machineKinds)];

// A break is made for one boot.
const isStop = ({ boots, expect }) => boots === undefined && 'stopsAt' in expect;
const isBoot = ({ boots, expect }) => boots === undefined && 'reaches' in expect;

const wayOf = (cell) => ['firmware', 'transport'].map((axis) => axisText(cell, axis)).join(' ');

/** Prefers the quickest payload, since any breaks as well, and a ROM, which is one more thing to break. */
const payloads = ['installer', 'linux', 'script'];
const worthOf = ({ payload, rom }) => payloads.indexOf(payload) * 2 + (rom === 'none' ? 0 : 1);

/** Every cell expected to stop, and one expected to boot for each firmware and transport. */
export function chosenCells(cells) {
  const booting = new Map();
  for (const cell of cells.filter(isBoot)) {
    const way = wayOf(cell);
    const best = booting.get(way);
    if (!best || worthOf(cell) > worthOf(best)) booting.set(way, cell);
  }
  const chosen = new Set(booting.values());
  return cells.filter((cell) => isStop(cell) || chosen.has(cell));
}

/** Breaks that cannot change a stop, by the finding that explains it: no answer comes, or the file's header is enough. */
const withoutEffect = {
  'boot-server-silent': ['frames-lost'],
  'nbp-for-other-client': ['file-truncated'],
};

/** The breaks of one boot, each with its kind, the stage it affects, and a unique label. */
function breaksOf(boot, chosen) {
  const futile = [boot.plan.scenario.expect.finding ?? []].flat().flatMap((name) => withoutEffect[name] ?? []);
  const kinds = chosen.filter((kind) => !futile.includes(kind));
  const breaks = [];
  const add = (kind, stage, found) => {
    for (const { name, ...rest } of found) {
      const label = [kind, ...(stage ? ['at', stage] : []), ...(name ? [name] : [])].join('-');
      breaks.push({ ...rest, kind, label, isOfMachine: stage === undefined });
    }
  };
  for (const [kind, of] of Object.entries(networkKinds)) {
    if (kinds.includes(kind)) for (const use of boot.uses) add(kind, use.stage, of(use, boot.plan));
  }
  for (const [kind, of] of Object.entries(machineKinds)) {
    if (kinds.includes(kind)) add(kind, undefined, of(boot));
  }
  return breaks;
}

/**
 * The sabotaged cases: each with its cell, its own id, its break and the result of `bootOf`. `missing`: cells that this
 * machine cannot run, with the reason.
 */
export async function chooseSabotages(cells, kinds, host) {
  const sabotages = [];
  const missing = [];
  for (const cell of cells) {
    const found = await findCase(cell, host);
    if ('missing' in found) {
      missing.push({ cell: cell.id, reason: found.missing });
      continue;
    }
    const boot = bootOf(makePlan({ ...found, nonce: '0' }));
    for (const wrong of breaksOf(boot, kinds)) sabotages.push({ id: `${cell.id}.${wrong.label}`, cell, wrong, boot });
  }
  return { sabotages, missing };
}
