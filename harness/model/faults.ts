import { z } from 'zod';
import { serverFaultSchema } from './server-faults.ts';
import { type WireFault, wireFaultSchema } from './wire-faults.ts';

/** What goes wrong on purpose: on the network, or with `server` in one of the harness's own servers. */
export const faultSchema = z.union([wireFaultSchema, serverFaultSchema]);
export type Fault = z.infer<typeof faultSchema>;

/** Of the network; the others are of a server. */
export const isOfWire = (fault: Fault): fault is WireFault => fault.server === undefined;
