import { randomBytes } from 'node:crypto';

/** A new nonce for every guest, so that no stale log can pass for it. */
export const newNonce = (): string => randomBytes(6).toString('hex');
