import { ipxeLoaders } from '../../model/axes.ts';
import { biosArchs, clientArchs } from '../../model/client-archs.ts';
import { deliveryOf } from '../../model/deliveries.ts';
import type { ImageKind } from '../../model/image-kinds.ts';
import {
  type Client,
  clientText,
  type Exchange,
  isHttpClient,
  namesIn,
  type Wire,
  type WireEvent,
} from './exchanges.ts';
import { type Boot, bootServices, type Seen, type ServerRule } from './rule.ts';

const isA =
  <T extends WireEvent['type']>(...types: T[]) =>
  (event: WireEvent): event is Wire<T> =>
    types.some((type) => type === event.type);

interface Transfer {
  readonly request: Wire<'tftp-request'>;
  oack?: Wire<'tftp-oack'>;
  complete?: Wire<'tftp-complete'>;
}

/** TFTP transfers, each with its answers: a port has one at a time. */
function transfersIn({ exchanges }: Boot): Transfer[] {
  const transfers: Transfer[] = [];
  const byPort = new Map<number, Transfer>();
  for (const event of exchanges.flatMap(({ fetches }) => fetches)) {
    if (event.type === 'tftp-request') {
      const transfer = { request: event };
      byPort.set(event.port, transfer);
      transfers.push(transfer);
    }
    if (event.type === 'tftp-oack') Object.assign(byPort.get(event.port) ?? {}, { oack: event });
    if (event.type === 'tftp-complete') Object.assign(byPort.get(event.port) ?? {}, { complete: event });
  }
  return transfers;
}

/** Options whose value may only be lowered (RFC 2348, RFC 7440 §3). */
const lowerable: readonly string[] = ['blksize', 'windowsize'];

function oackUnasked(boot: Boot): Seen[] {
  return transfersIn(boot).flatMap(({ request, oack }): Seen[] => {
    if (oack === undefined) return [];
    const asked = request.options;
    return Object.entries(oack.options).flatMap(([name, value]): Seen[] => {
      const wanted = asked[name];
      const says = `for ${request.file} ${name} ${value} was granted`;
      if (wanted === undefined) return [{ atMs: oack.tMs, text: `${says}, and not asked for` }];
      if (!lowerable.includes(name) || Number(value) <= Number(wanted)) return [];
      return [{ atMs: oack.tMs, text: `${says}, more than the ${wanted} asked for` }];
    });
  });
}

function tsizeUnanswered(boot: Boot): Seen[] {
  const first = transfersIn(boot).find(({ request, oack, complete }) => {
    const isAnswered = oack !== undefined || complete !== undefined;
    return isAnswered && request.options.tsize !== undefined && oack?.options.tsize === undefined;
  });
  if (first === undefined) return [];
  return [{ atMs: first.request.tMs, text: `the length of ${first.request.file} (tsize) was asked for and not given` }];
}

/** EDK II's client is in firmware; whatever it has loaded may bring its own. */
function responsesToFirmware({ exchanges }: Boot): { client: Client; response: Wire<'http-response'> }[] {
  return exchanges.flatMap(({ client, fetches }) => {
    if (!isHttpClient(client) || client.isIpxe) return [];
    const delivered = fetches.findIndex((event) => event.type === 'http-complete' && deliveryOf(event) !== undefined);
    const untilThen = delivered < 0 ? fetches : fetches.slice(0, delivered);
    return untilThen.filter(isA('http-response')).map((response) => ({ client, response }));
  });
}

function redirected(boot: Boot): Seen[] {
  return responsesToFirmware(boot).flatMap(({ client, response: { tMs, target, status, location } }): Seen[] =>
    location === undefined
      ? []
      : [{ atMs: tMs, text: `${clientText(client)} was sent from ${target} to ${location} (status ${status})` }],
  );
}

function lengthMissing(boot: Boot): Seen[] {
  const complete = new Set(
    boot.exchanges.flatMap(({ fetches }) => fetches.filter(isA('http-complete'))).map(({ target }) => target),
  );
  return responsesToFirmware(boot).flatMap(({ client, response: { tMs, target, status, length } }): Seen[] => {
    // EDK II takes chunks as well.
    if (status !== 200 || length !== null || complete.has(target)) return [];
    const text = `${clientText(client)} was answered without Content-Length, and did not fetch ${target} whole`;
    return [{ atMs: tMs, text }];
  });
}

const imageTexts: Readonly<Record<ImageKind, string>> = {
  'efi-ia32': 'an EFI image for x86',
  'efi-x64': 'an EFI image for x64',
  'efi-arm': 'an EFI image for 32-bit ARM',
  'efi-aa64': 'an EFI image for 64-bit ARM',
  'efi-riscv64': 'an EFI image for 64-bit RISC-V',
  'efi-loongarch64': 'an EFI image for 64-bit LoongArch',
  'efi-other': 'an EFI image for another machine',
  bzimage: 'a Linux kernel for x86',
  'ipxe-script': 'an iPXE script',
  other: 'no EFI image',
};

/** Whether a client can start a file; iPXE knows more formats than can be told from a first kilobyte. */
function canStart({ arch, isIpxe }: Client, image: ImageKind): boolean {
  if (image === 'ipxe-script') return isIpxe;
  if (biosArchs.includes(arch)) return !image.startsWith('efi-');
  const runs = clientArchs[arch]?.runs;
  if (runs === undefined || image === runs) return true;
  if (image === 'bzimage') return runs === 'efi-x64' || runs === 'efi-ia32';
  return image === 'other' && isIpxe;
}

const isDelivery = isA('tftp-complete', 'http-complete');

/** What the replies of an exchange named, delivered whole. */
function nbpsIn(exchange: Exchange): { name: string; event: Wire<'tftp-complete' | 'http-complete'> }[] {
  const named = namesIn(exchange);
  return exchange.fetches.filter(isDelivery).flatMap((event) => {
    const name = deliveryOf(event)?.name;
    return name !== undefined && named.has(name) ? [{ name, event }] : [];
  });
}

function forOtherClient({ answered }: Boot): Seen[] {
  return answered.flatMap((exchange) =>
    nbpsIn(exchange).flatMap(({ name, event: { tMs, image } }): Seen[] =>
      image === undefined || canStart(exchange.client, image)
        ? []
        : [{ atMs: tMs, text: `${clientText(exchange.client)} was given ${name}, which is ${imageTexts[image]}` }],
    ),
  );
}

/** An NBP that leads to itself: iPXE identifies itself, and is given the file again that had started it. */
function loops({ plan, answered }: Boot): Seen[] {
  const rounds = answered.map((exchange) => ({ exchange, nbp: nbpsIn(exchange).at(-1) }));
  return rounds.flatMap(({ exchange, nbp }, at): Seen[] => {
    const before = rounds[at - 1];
    if (before?.nbp === undefined || nbp === undefined || nbp.event.image === 'ipxe-script') return [];
    // An iPXE ROM that fetches again may be one whose NBP gave up, unless that is iPXE itself.
    const wasStarted = exchange.client.isIpxe && (!before.exchange.client.isIpxe || ipxeLoaders.includes(plan.loader));
    if (!wasStarted || before.nbp.name !== nbp.name) return [];
    return [{ atMs: nbp.event.tMs, text: `${nbp.name} was fetched again by the iPXE that it had started` }];
  });
}

/** Fewer are no sign of trouble. */
const manyRepeats = { share: 0.01, blocks: 4 };

function retransmissions(boot: Boot): Seen[] {
  return transfersIn(boot).flatMap(({ complete }): Seen[] => {
    if (complete === undefined) return [];
    const { tMs, file, blocks, repeats = 0 } = complete;
    if (repeats < manyRepeats.blocks || repeats < blocks * manyRepeats.share) return [];
    return [{ atMs: tMs, text: `${repeats} of the ${blocks} blocks of ${file} came more than once` }];
  });
}

/** What TFTP and HTTP servers do wrong, and what is wrong with what they deliver. */
export const transferRules: readonly ServerRule[] = [
  {
    name: 'nbp-for-other-client',
    about: bootServices,
    section: 'RFC 4578 §2.1',
    remedy: 'name a boot file by architecture (option 93; 61 in DHCPv6)',
    find: forOtherClient,
  },
  {
    name: 'nbp-loop',
    about: bootServices,
    section: 'RFC 3004 §4',
    remedy: 'match the user class "iPXE" (option 77; 15 in DHCPv6) and name a script for it',
    find: loops,
  },
  {
    name: 'oack-unasked',
    about: ['tftp'],
    section: 'RFC 2347, RFC 2348',
    remedy: 'acknowledge only options that were asked for, with no larger values',
    find: oackUnasked,
  },
  {
    name: 'tsize-unanswered',
    about: ['tftp'],
    section: 'RFC 2349',
    remedy: 'answer tsize: where it is left out EDK II takes the file for empty, and gives up with PXE-E53',
    find: tsizeUnanswered,
  },
  {
    name: 'http-redirected',
    about: ['http'],
    section: 'RFC 9110 §15.4',
    remedy: 'serve the file under the URL itself: HTTP boot of EDK II does not follow redirects',
    find: redirected,
  },
  {
    name: 'http-length-missing',
    about: ['http'],
    section: 'RFC 9110 §8.6',
    remedy: "send Content-Length, or chunks: EDK II does not take the connection's end for the file's",
    find: lengthMissing,
  },
  {
    name: 'retransmissions',
    about: ['tftp'],
    section: 'RFC 1123 §4.2.3.1',
    remedy: 'see whether the server answers a repeated acknowledgement, or times out too soon',
    informational: true,
    find: retransmissions,
  },
];
