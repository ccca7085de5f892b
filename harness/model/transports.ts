import type { Transport } from './axes.ts';
import type { TransportPlan } from './scenario.ts';

/** The transport of each fetch. */
export interface Transports {
  nbp: Transport;
  config: Transport;
  payload: Transport;
}

/** A bare word stands for all three fetches; a fetch that is not named uses TFTP. */
export function transportsOf(plan: TransportPlan): Transports {
  if (typeof plan === 'string') return { nbp: plan, config: plan, payload: plan };
  const { nbp = 'tftp', config = 'tftp', payload = 'tftp' } = plan;
  return { nbp, config, payload };
}
