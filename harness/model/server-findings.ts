import { z } from 'zod';

/** Names of all rules in `judge/server/` that find something about a server of the user's. */
export const serverFindingNames = [
  'architecture-unanswered',
  'boot-server-silent',
  'broadcast-flag-ignored',
  'host-not-listed',
  'http-class-missing',
  'http-length-missing',
  'http-redirected',
  'nbp-for-other-client',
  'nbp-loop',
  'next-server-missing',
  'oack-unasked',
  'reply-too-short',
  'retransmissions',
  'server-address-silent',
  'slow-answer',
  'tsize-unanswered',
] as const;
export type ServerFindingName = (typeof serverFindingNames)[number];

/** What a server did that a specification does not allow, or that clients do not cope with. */
export const serverFindingSchema = z.strictObject({
  /** One of `serverFindingNames` in the version that wrote the record. */
  name: z.string(),
  atMs: z.number(),
  /** What was seen. */
  text: z.string(),
  /** Where it says what should have been: specification and section. */
  section: z.string(),
  remedy: z.string(),
  /** Depends on load, or harms no client that was tried: never a failure. */
  informational: z.literal(true).optional(),
});
export type ServerFinding = z.infer<typeof serverFindingSchema>;

/** As reports print it, on one line. */
export const serverFindingText = ({ name, text, section, remedy }: ServerFinding): string =>
  `server: ${text} (${name}, ${section}); ${remedy}`;
