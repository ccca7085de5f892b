import { z } from 'zod';
import { serverFaultSchema } from './server-faults.ts';
import { wireFaultSchema } from './wire-faults.ts';

/** What goes wrong on purpose: on the network, or with `server` in one of the harness's own servers. */
export const faultSchema = z.union([wireFaultSchema, serverFaultSchema]);
export type Fault = z.infer<typeof faultSchema>;
