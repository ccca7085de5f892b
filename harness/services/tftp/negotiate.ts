import { blockBytesRange, defaultBlockBytes, type TftpOptions } from '../../wire/codecs/tftp.ts';
import { type ChosenFaults, noneChosen } from '../faults.ts';
import { type SpoiledBlocks, spoiledBlocks } from './spoiled-blocks.ts';

/** Largest window granted; RFC 7440 §5 found no gain beyond. */
const maxWindowBlocks = 64;
/** Until the guest asks for another (RFC 2349): well under the guests' own, which are 1 s and more. */
const defaultTimeoutMs = 1000;

/** The parameters of a transfer, and the OACK that announces them. */
export interface Terms {
  readonly blockBytes: number;
  readonly windowBlocks: number;
  readonly timeoutMs: number;
  /** Only options that were requested and granted; empty: no OACK. */
  readonly granted: TftpOptions;
  /** How the scenario's faults have blocks numbered and acknowledged. */
  readonly spoiled?: SpoiledBlocks | undefined;
}

interface TermLimits {
  fileBytes: number;
  /** Largest block that fits a frame. */
  maxBlockBytes: number;
  /** What `tsize` says in place of the file's length. */
  claimedBytes?: number;
}

interface Limits extends Omit<TermLimits, 'claimedBytes'> {
  faults?: ChosenFaults<'tftp'>;
}

type Agreed = Omit<Terms, 'spoiled'>;

/**
 * Options of a read request (RFC 2347, 2348, 2349, 7440). What is too large is clamped if the RFC
 * lets a server answer with less; anything else out of range, unknown or not a number is ignored.
 * What the scenario's faults put into the OACK is granted as if it had been asked for; one that leaves it as it was is not met.
 */
export function negotiate(requested: TftpOptions, { faults = noneChosen, ...limits }: Limits): Terms {
  let asked = requested;
  let agreed = agree(asked, limits);
  const meet = (action: 'ignoreOptions' | 'oack', spoiled: TftpOptions, claimedBytes?: number): void => {
    const other = agree(spoiled, { ...limits, ...(claimedBytes === undefined ? {} : { claimedBytes }) });
    if (String([...other.granted]) === String([...agreed.granted])) return;
    [asked, agreed] = [spoiled, other];
    faults.met(action);
  };

  const ignored = faults.get('ignoreOptions');
  if (ignored !== undefined) meet('ignoreOptions', new Map([...asked].filter(([name]) => !ignores(ignored, name))));
  const added = faults.get('oack');
  if (added !== undefined) {
    const { tsize } = added;
    const values = Object.entries(added).map(([name, value]): [string, string] => [name, String(Number(value) || 0)]);
    meet('oack', new Map([...asked, ...values]), typeof tsize === 'number' ? tsize : undefined);
  }
  return { ...agreed, spoiled: spoiledBlocks(faults) };
}

export const ignores = (ignored: 'all' | readonly string[], name: string): boolean =>
  ignored === 'all' || ignored.includes(name);

function agree(asked: TftpOptions, { fileBytes, maxBlockBytes, claimedBytes = fileBytes }: TermLimits): Agreed {
  const granted = new Map<string, string>();
  const grant = (name: string, min: number, max: number, answer: (value: number) => number): number | undefined => {
    const value = decimal(asked.get(name));
    if (value === undefined || value < min || value > max) return undefined;
    granted.set(name, String(answer(value)));
    return answer(value);
  };
  const upTo = (limit: number) => (value: number) => Math.min(value, limit);

  const blockLimit = Math.min(maxBlockBytes, blockBytesRange.max);
  // PXE ROMs ask for sizes beyond the RFC's range and take the smaller answer.
  const blockBytes = grant('blksize', blockBytesRange.min, Number.MAX_SAFE_INTEGER, upTo(blockLimit));
  grant('tsize', 0, Number.MAX_SAFE_INTEGER, () => claimedBytes);
  const timeoutSeconds = grant('timeout', 1, 255, (value) => value);
  const windowBlocks = grant('windowsize', 1, 65535, upTo(maxWindowBlocks));
  return {
    blockBytes: blockBytes ?? defaultBlockBytes,
    windowBlocks: windowBlocks ?? 1,
    timeoutMs: timeoutSeconds === undefined ? defaultTimeoutMs : timeoutSeconds * 1000,
    granted,
  };
}

function decimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
