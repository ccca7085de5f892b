import type { HarnessEvent } from '../model/events.ts';
import type { ServerFaultAction } from '../model/server-faults.ts';
import { seconds } from '../model/time-text.ts';
import type { WireFaultAction } from '../model/wire-faults.ts';

type FaultEvent = Exclude<Extract<HarnessEvent, { type: 'fault' }>, { source: 'run' }>;

/** What was done to a frame, in the past tense. */
const doneToFrames: Record<WireFaultAction, string> = {
  drop: 'dropped',
  duplicate: 'sent twice',
  reorder: 'swapped with the next',
  corrupt: 'damaged',
  truncate: 'cut short',
  mtu: 'dropped as too long',
  delayMs: 'delayed',
  bytesPerSecond: 'held to a rate',
  linkDownMs: 'taken down',
};

/** What a server did to requests, in the past tense. */
const doneToRequests: Record<ServerFaultAction, string> = {
  silent: 'left without an answer',
  delayMs: 'answered late',
  nak: 'answered with a NAK',
  secondServer: 'answered by a second server too',
  otherServerId: 'answered in the name of another server',
  leaseSeconds: 'given a short lease',
  withoutBootFile: 'answered without a boot file',
  reverseOptions: 'answered with the options in reverse order',
  repeatOptions: 'answered with options twice',
  splitOptionsAt: 'answered with options split',
  overload: 'answered with options in the fields for names',
  datagramBytes: 'answered with padding',
  addressInUse: 'offered an address that another host has',
  status: 'refused or redirected',
  retryAfterSeconds: 'asked to come again later',
  ignoreOptions: 'answered without options that were asked for',
  refuseOptions: 'refused for their options',
  oack: "answered with options of the server's own",
  errorAtBlock: 'broken off with an error',
  skipBlock: 'sent a block number too high',
  otherTidAtBlock: 'sent a block from another port',
  rolloverToOne: 'sent block 1 after block 65535',
  loseLastAck: 'sent the last block again',
  lengthOff: 'answered with a file of another length',
  contentLength: 'answered with a length that is not said, or said otherwise',
  truncateToBytes: 'cut short',
  withoutCloseNotify: 'cut short without the end of TLS',
  ignoreRange: 'answered with the whole file',
  bytesPerSecond: 'answered slowly',
  closeAfterwards: 'answered, and the connection closed',
  alert: 'ended with a TLS alert',
  certificate: 'answered with another certificate',
};

const isFault = (event: HarnessEvent): event is FaultEvent => event.type === 'fault' && event.source !== 'run';

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function done(event: FaultEvent, count: number): string {
  if (event.source !== 'wire') {
    const noun = event.what === 'connection' ? 'connection' : 'request';
    return `${counted(count, `${event.source.toUpperCase()} ${noun}`)} ${doneToRequests[event.action]}`;
  }
  return `${counted(count, 'frame')} ${doneToFrames[event.action]}`;
}

/** What met a fault; a fault counts the frames of both directions together. */
function whatOf(event: FaultEvent): string {
  if (event.source !== 'wire') return event.what;
  return `${event.what} ${event.direction === 'to-guest' ? 'to the guest' : 'from the guest'}`;
}

/** Each of the scenario's faults that anything has met: how often, first when, and what. */
export function faultFindings(events: readonly HarnessEvent[]): string[] {
  const first = new Map<string, FaultEvent>();
  const counts = new Map<string, number>();
  for (const event of events.filter(isFault)) {
    const key = `${event.fault} ${event.action}`;
    if (!first.has(key)) first.set(key, event);
    counts.set(key, event.count);
  }
  return [...first].map(([key, event]) => {
    const at = seconds(event.tMs);
    const place = `fault ${event.fault + 1}, on purpose:`;
    if (event.action === 'linkDownMs') return `${place} the guest's link taken down at ${at}`;
    return `${place} ${done(event, counts.get(key) ?? 0)}, the first (${whatOf(event)}) at ${at}`;
  });
}
