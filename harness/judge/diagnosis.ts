import type { Certificate } from '../model/certificate.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { FailureRule } from '../model/failure-rules.ts';
import { knownFacts } from '../model/known-facts.ts';
import type { Plan } from '../model/plan.ts';
import { type Stage, stageMeanings } from '../model/stages.ts';
import type { Failure } from '../model/verdict.ts';
import { alertOfServer, refusedCertificate } from './tls-handshake.ts';

export interface Stop {
  plan: Plan;
  events: readonly HarnessEvent[];
  lastStage: Stage | null;
  stoppedAt: Stage;
  /** What ended the case, if anything did. */
  failure: Failure | null;
  /** All failures and remarks, in order. */
  failures: readonly Failure[];
}

const romText = ({ plan }: Stop): string => {
  const { rom } = plan.scenario;
  if (rom === 'none' || rom === 'rombar-off') return 'the NIC has no option ROM';
  const name = typeof rom === 'string' ? rom : 'file' in rom ? rom.file : `${rom.kind} of ${rom.set}`;
  return `its option ROM (${name}) provided none`;
};

const endedBy =
  (...rules: FailureRule[]) =>
  ({ failure }: Stop): boolean =>
    failure !== null && rules.some((rule) => rule === failure.rule);
const said =
  (pattern: RegExp) =>
  ({ failures }: Stop): boolean =>
    failures.some(({ text }) => pattern.test(text));
const wireSaw =
  (test: (event: Extract<HarnessEvent, { source: 'wire' }>) => boolean) =>
  ({ events }: Stop): boolean =>
    events.some((event) => event.source === 'wire' && test(event));

const discovered = wireSaw(
  (event) =>
    (event.type === 'dhcp' && event.messageType === 'discover') ||
    (event.type === 'dhcp6' && event.from === 'guest' && event.vendorClass !== undefined),
);
const offered = wireSaw(
  (event) =>
    (event.type === 'dhcp' && event.messageType === 'offer') || (event.type === 'dhcp6' && event.from === 'server'),
);
const requested = wireSaw(
  (event) =>
    (event.type === 'dhcp' && event.messageType === 'request' && event.serverId !== undefined) ||
    (event.type === 'dhcp6' && event.messageType === 'request'),
);
const refused = wireSaw((event) => event.type === 'dhcp' && event.messageType === 'nak');
const acknowledged = wireSaw(
  (event) =>
    (event.type === 'dhcp' && event.messageType === 'ack') || (event.type === 'dhcp6' && event.messageType === 'reply'),
);
const all =
  (...tests: ((stop: Stop) => boolean)[]) =>
  (stop: Stop): boolean =>
    tests.every((test) => test(stop));
const not =
  (test: (stop: Stop) => boolean) =>
  (stop: Stop): boolean =>
    !test(stop);
const at =
  (...stages: Stage[]) =>
  ({ stoppedAt }: Stop): boolean =>
    stages.includes(stoppedAt);

const certificateFaults: Record<Certificate, string> = {
  valid: 'which is valid, but signed by an authority that this client does not trust',
  'wrong-authority': 'which is signed by an authority that it does not trust',
  'wrong-name': 'which is for another name',
  expired: 'which has expired',
};

/** Inspection of the files predicted this stop. */
const foreseen = ({ plan, stoppedAt }: Stop): boolean => plan.prediction.stopsAt === stoppedAt;
const whyForeseen = ({ plan }: Stop): string => plan.prediction.reasons.at(-1) ?? '';

/** The report of EDK II's exception handler: on x86 the exception and the image, on Arm only the address. */
function crash({ failures }: Stop): string {
  const first = (pattern: RegExp): string | undefined =>
    failures.flatMap(({ text }) => pattern.exec(text)?.[1] ?? []).at(0);
  const what = first(/Exception Type - \w+\((.+?)\)/);
  const image = first(/^!!!! Find image based on IP\(\w+\) +([^\s(]+)/);
  const address = first(/ Exception at 0x([0-9A-F]{16})/i);
  const where = [what && `with ${what}`, image && `in ${image.replace(/^.*\//, '')}`].filter(Boolean).join(' ');
  // The first page is never mapped: a fault there is a call through a null pointer.
  const onNull = address !== undefined && BigInt(`0x${address}`) < 0x1000n ? ' on a call through a null pointer' : '';
  return `the firmware, or a program it had started, crashed${where && ` ${where}`}${onNull}, and the firmware's exception handler halted the machine`;
}

/** What a stop usually means; the first row that holds. */
const meanings: readonly { holds: (stop: Stop) => boolean; means: (stop: Stop) => string }[] = [
  {
    holds: all(endedBy('secure-boot-refused'), said(/shim_lock protocol not found/)),
    means: () => 'under Secure Boot GRUB asks shim to verify the kernel, and GRUB was started without shim',
  },
  {
    holds: all(endedBy('secure-boot-refused'), said(/ipxe\.org\/7f0481/)),
    means: () =>
      'Secure Boot refused what iPXE had loaded: the error number is that of LoadImage() returning "access denied"',
  },
  {
    holds: all(endedBy('secure-boot-refused')),
    means: () =>
      'Secure Boot refused to run what was loaded: it is not signed with an enrolled key, or was modified after signing',
  },
  { holds: endedBy('uefi-exception'), means: crash },
  { holds: all(at('oprom'), foreseen), means: whyForeseen },
  {
    holds: all(at('oprom', 'dhcp', 'firmware'), endedBy('uefi-shell', 'bds-nothing'), not(discovered)),
    means: (stop) =>
      `there was no network boot option: the firmware has no driver for ${stop.plan.scenario.nic}, and ${romText(stop)}${
        stop.plan.scenario.randomSource === false ? '; or it offers no PXE without a source of random numbers' : ''
      }`,
  },
  {
    holds: all(at('oprom', 'dhcp'), endedBy('seabios-no-boot'), not(discovered)),
    means: ({ plan }) => `${knownFacts['seabios-boots-by-rom'].says}, and ${plan.scenario.nic} has no suitable one`,
  },
  {
    holds: all(at('dhcp'), discovered, not(offered)),
    means: () => 'the client asked for an address and got no offer: no boot rule matches it',
  },
  {
    holds: all(at('dhcp'), requested, refused),
    means: () => 'the client accepted an offer, and its REQUEST was answered with a NAK',
  },
  {
    holds: all(at('dhcp'), requested, not(acknowledged)),
    means: () => 'the client accepted an offer, and its REQUEST was not answered',
  },
  {
    holds: all(at('dhcp'), discovered),
    means: () => 'the client got an offer and did not accept it: the offer lacks something that this client requires',
  },
  {
    holds: (stop) => alertOfServer(stop) !== undefined,
    means: (stop) => `the server ended the TLS handshake with an alert (${alertOfServer(stop)})`,
  },
  {
    holds: (stop) => refusedCertificate(stop) !== undefined,
    means: (stop) =>
      `the client broke off the TLS handshake on seeing the server's certificate, ${certificateFaults[refusedCertificate(stop) ?? 'valid']}`,
  },
  {
    holds: ({ plan, failures }) =>
      plan.tls !== undefined && failures.some(({ text }) => /ipxe\.org\/3c0920/.test(text)),
    means: () => 'this build of iPXE has no HTTPS',
  },
  {
    holds: all(at('payload-fetch'), ({ plan }) => plan.san !== undefined && plan.scenario.payload === 'iscsi'),
    means: () => 'the SAN disk was not attached, or did not boot',
  },
  {
    holds: all(
      at('nbp-fetch'),
      wireSaw((event) => event.type === 'tftp-error' && event.code === 1),
    ),
    means: () => 'the client requested a file that the server does not have',
  },
  {
    holds: all(
      at('nbp-fetch'),
      wireSaw((event) => event.type === 'http-response' && event.status >= 400),
    ),
    means: () => 'the HTTP server refused the request',
  },
  {
    holds: all(
      at('nbp-fetch'),
      wireSaw((event) => event.type === 'http-response' && event.location !== undefined),
    ),
    means: () => 'the HTTP server sent a redirect, which the client did not follow',
  },
  { holds: at('nbp-fetch'), means: () => 'the network boot program was not delivered whole' },
  {
    holds: all(at('nbp'), said(/failed to (load|start)|Exec format|Not Found|Unsupported/i)),
    means: () =>
      'the firmware refused to start what it had loaded: it has another machine type, is no executable, or a policy forbids it',
  },
  { holds: at('nbp'), means: () => 'the network boot program was delivered, and nothing shows that it ran' },
  {
    holds: all(at('nbp-dhcp'), endedBy('ipxe-no-device')),
    means: () => 'the second stage found no network device it can drive, or none of them got an address',
  },
  { holds: at('nbp-dhcp'), means: () => 'the second stage ran and got no lease of its own' },
  { holds: all(at('config'), foreseen), means: whyForeseen },
  {
    holds: all(at('oprom'), ({ lastStage }) => lastStage !== null && lastStage !== 'firmware'),
    means: () =>
      'the boot continued, and nothing shows that the option ROM had a part in it: the firmware may have a driver of its own',
  },
  { holds: at('config'), means: () => "the loader's configuration was not fetched whole, or did not take effect" },
  {
    holds: all(at('disk'), endedBy('uefi-setup')),
    means: () => 'the boot option returned success, after which EDK II opens its menu instead of trying the next one',
  },
  { holds: at('disk'), means: () => 'the network boot ended, and nothing shows that the disk booted' },
  { holds: at('payload-fetch'), means: () => 'kernel or initrd was not delivered whole' },
  { holds: at('kernel'), means: () => 'nothing from a kernel appeared on the serial console' },
  {
    holds: all(at('userspace'), endedBy('kernel-panic')),
    means: () => 'the kernel ran and found no init that it could start',
  },
  { holds: () => true, means: () => 'nothing further was seen' },
];

/** The last notable event before the stop. */
function lastSeen(events: readonly HarnessEvent[]): string {
  for (const event of [...events].reverse()) {
    if (event.source === 'serial' && event.text.trim()) return `"${event.text.trim().slice(0, 160)}" on the console`;
    if (event.source !== 'wire') continue;
    if (event.type === 'dhcp') return `a DHCP ${event.messageType.toUpperCase()} from the ${event.from} on the wire`;
    if (event.type === 'tftp-request') return `a TFTP request for ${event.file}`;
    if (event.type === 'tftp-error') return `TFTP error ${event.code} for ${event.file} from the ${event.from}`;
    if (event.type === 'tftp-complete') return `${event.file} delivered by TFTP`;
    if (event.type === 'http-request') return `${event.method} ${event.target} on the wire`;
    if (event.type === 'nfs-lookup') return `an NFS lookup of ${event.file}`;
  }
  return 'nothing at all';
}

/** Ends that only say that nothing more was seen. */
const timeRules = ['deadline', 'silent'] as const;

/** One sentence: what stage, what was seen last, what that usually means. */
export function diagnose(stop: Stop): string {
  const { failure, lastStage, stoppedAt } = stop;
  const seen = failure && !endedBy(...timeRules)(stop) ? `"${failure.text}"` : lastSeen(stop.events);
  const after = lastStage ? `after ${lastStage} (${stageMeanings[lastStage]})` : 'before any stage';
  const how = failure && endedBy(...timeRules)(stop) ? `; ${failure.text}` : '';
  const means = meanings.find(({ holds }) => holds(stop))?.means(stop) ?? '';
  return `Stopped at ${stoppedAt}, ${after}${how}; last seen: ${seen}: ${means}.`;
}
