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

interface Limits {
  fileBytes: number;
  /** Largest block that fits a frame. */
  maxBlockBytes: number;
  faults?: ChosenFaults<'tftp'>;
}

/**
 * Options of a read request (RFC 2347, 2348, 2349, 7440). What is too large is clamped if the RFC
 * lets a server answer with less; anything else out of range, unknown or not a number is ignored.
 * What the scenario's faults put into the OACK is granted as if it had been asked for.
 */
export function negotiate(requested: TftpOptions, { fileBytes, maxBlockBytes, faults = noneChosen }: Limits): Terms {
  const granted = new Map<string, string>();
  const asked = spoilOptions(requested, faults);
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
  const claimed = faults.get('oack')?.tsize;
  grant('tsize', 0, Number.MAX_SAFE_INTEGER, () => (typeof claimed === 'number' ? claimed : fileBytes));
  const timeoutSeconds = grant('timeout', 1, 255, (value) => value);
  const windowBlocks = grant('windowsize', 1, 65535, upTo(maxWindowBlocks));
  return {
    blockBytes: blockBytes ?? defaultBlockBytes,
    windowBlocks: windowBlocks ?? 1,
    timeoutMs: timeoutSeconds === undefined ? defaultTimeoutMs : timeoutSeconds * 1000,
    granted,
    spoiled: spoiledBlocks(faults),
  };
}

/** What was asked for as the faults of the request have it. */
function spoilOptions(requested: TftpOptions, faults: ChosenFaults<'tftp'>): TftpOptions {
  const ignored = faults.take('ignoreOptions') ?? [];
  const kept = [...requested].filter(([name]) => ignored !== 'all' && !ignored.some((other) => other === name));
  const added = Object.entries(faults.take('oack') ?? {}).map(([name, value]) => [name, String(Number(value) || 0)]);
  return new Map([...kept, ...(added as [string, string][])]);
}

function decimal(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}
