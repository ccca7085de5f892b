/** Stable codes of everything that can go wrong outside a guest. `exitCodeOf` maps them. */
const errorCodes = [
  'usage',
  'untrusted',
  'bad-matrix',
  'bad-set',
  'bad-file',
  'bad-run-directory',
  'bad-event-log',
  'missing-asset',
  'missing-program',
  'changed-input',
  'qemu-failed',
  'server-failed',
  'provisioner-failed',
  'farm-failed',
  'disk',
  'interrupted',
  'internal',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetails {
  /** The remedy, as a sentence or a command. */
  hint?: string;
  /** Facts for `--json`: paths, values, versions. */
  details?: Record<string, unknown>;
  cause?: unknown;
}

/**
 * The one error users see: names the input, what was expected and what was seen (message), and the
 * remedy (hint). A boot that fails is a verdict, never an error.
 */
export class HarnessError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, { hint, details = {}, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HarnessError';
    this.code = code;
    this.hint = hint;
    this.details = details;
  }
}

/** What the operating system says, without code, call and path: "no such file or directory". */
export const systemErrorText = ({ message }: Error): string =>
  message.replace(/^E[A-Z0-9]+: (.+?), \w+( '.*)?$/s, '$1');

const usageCodes: readonly ErrorCode[] = [
  'usage',
  'untrusted',
  'bad-matrix',
  'bad-set',
  'bad-file',
  'bad-run-directory',
  'bad-event-log',
];

/** Permanent until someone fixes the cause; anything else may be gone on the next attempt. */
const lastingCodes: readonly ErrorCode[] = [
  ...usageCodes,
  'missing-asset',
  'missing-program',
  'provisioner-failed',
  'changed-input',
];

/** Whether another attempt may succeed. */
export const isRetryable = (error: unknown): boolean =>
  !(error instanceof HarnessError && lastingCodes.includes(error.code));

/** Exit codes: 2 for bad input, 3 for what the host lacks, 130 for an interruption. */
export function exitCodeOf(error: HarnessError): 2 | 3 | 130 {
  if (error.code === 'interrupted') return 130;
  return usageCodes.includes(error.code) ? 2 : 3;
}
