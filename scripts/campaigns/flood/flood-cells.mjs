// Hostile guests: a program in QEMU's place, which sends far faster than any emulated guest could.
import { inCheckout } from '../../setup/checkout.mjs';

const program = inCheckout('fixtures', 'flooding-guest.mjs');

/** What each does, as `FLOOD` of that program names it. */
export const floodKinds = ['lines', 'discover', 'tftp'];

const prefix = 'flood.';

/** Cells like `model`, one for each kind. */
export const floodCells = (model, kinds) => kinds.map((kind) => ({ ...model, id: `${prefix}${kind}`, group: 'flood' }));

export const isFlood = (id) => id.startsWith(prefix);

/** The plan of a flood's cell with the hostile program and a file of its own to fetch; any other as it is. */
export function floodedPlan(plan, bigFile) {
  const { id } = plan.scenario;
  if (!isFlood(id)) return plan;
  return {
    ...plan,
    serve: { ...plan.serve, big: { path: bigFile } },
    qemu: { ...plan.qemu, program, env: { FLOOD: id.slice(prefix.length) } },
  };
}
