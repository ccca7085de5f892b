import { z } from 'zod';

/** Of the HTTPS server, as a client that trusts the run's authority sees it. */
export const certificateSchema = z.enum(['valid', 'wrong-authority', 'wrong-name', 'expired']);
export type Certificate = z.infer<typeof certificateSchema>;
