// Hostile guests: programs in QEMU's place, which send far faster than any emulated guest could.
import { inCheckout } from '../../setup/checkout.mjs';

/**
 * A guest that attacks: its id, the cell whose network and files it gets, the program (below fixtures/) and its
 * environment.
 */
export const attacker = (id, cell, program, env) => ({ id, cell, program: inCheckout('fixtures', program), env });

/** The cells that they run as. */
export const cellsOf = (attackers) => attackers.map(({ id, cell }) => ({ ...cell, id, group: 'hostile' }));

/** The plan of an attacker's cell with its program and a file of its own to fetch; any other as it is. */
export function attackedPlan(plan, attackers, bigFile) {
  const found = attackers.find(({ id }) => id === plan.scenario.id);
  if (found === undefined) return plan;
  const { program, env } = found;
  const { tcp, vlan } = plan.network;
  const network = JSON.stringify({ tcp, vlan, foreignMac: plan.provisioner?.mac });
  return {
    ...plan,
    serve: { ...plan.serve, big: { path: bigFile } },
    qemu: { ...plan.qemu, program, env: { ...env, NETWORK: network } },
  };
}
