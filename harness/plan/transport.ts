import type { Transport } from '../model/axes.ts';
import { nfsExport } from '../model/plan.ts';
import type { TransportPlan } from '../model/scenario.ts';

export interface Transports {
  nbp: Transport;
  config: Transport;
  payload: Transport;
}

/** One transport for each fetch: a bare word stands for all three, a fetch that is not named goes by TFTP. */
export function transportsOf(scenario: { transport: TransportPlan }): Transports {
  const { transport } = scenario;
  if (typeof transport === 'string') return { nbp: transport, config: transport, payload: transport };
  const { nbp = 'tftp', config = 'tftp', payload = 'tftp' } = transport;
  return { nbp, config, payload };
}

/** The name by which a client asks: bare for TFTP in DHCP's own fields, a URL where a URL is wanted. */
export function urlOf(transport: Transport, server: string, name: string): string {
  const host = server.includes(':') ? `[${server}]` : server;
  return `${transport}://${host}/${transport === 'nfs' ? `${nfsExport}/` : ''}${name}`;
}
