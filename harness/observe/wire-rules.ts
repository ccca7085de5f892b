import { nameOfTarget } from '../model/deliveries.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { ExpectedFile, Plan } from '../model/plan.ts';
import { nameOf } from '../model/served-name.ts';
import { isUefi, romCanRun } from './circumstances.ts';
import type { Observed, Rule } from './evidence.ts';

export type WireEvent = Extract<HarnessEvent, { source: 'wire' }>;

/** The unspecified address: the message assigns none. */
export const unset = '0.0.0.0';

/** A lease of DHCPv4: an ACK with an address, answering a REQUEST that this guest sent (RFC 2131 §3.1). */
function leased(event: WireEvent, plan: Plan, observed: Observed): { ipxe: boolean; text: string } | undefined {
  // A case that boots over one family may get leases of the other, which do not advance it.
  if (event.type === (plan.scenario.ipVersion === 4 ? 'dhcp6' : 'dhcp')) return undefined;
  if (event.type === 'dhcp' && event.from === 'server' && event.messageType === 'ack' && event.yiaddr !== unset) {
    const request = observed.requests.get(event.xid);
    if (request?.mac !== event.mac) return undefined;
    const client = request.ipxe ? 'iPXE' : request.vendorClass || 'a client without vendor class';
    return { ipxe: request.ipxe, text: `${client} was acknowledged ${event.yiaddr}` };
  }
  if (event.type === 'dhcp6' && event.from === 'server' && event.messageType === 'reply') {
    const request = observed.requests.get(event.xid);
    // EDK II configures its IPv6 stack with leases of its own, which say nothing about a boot (RFC 5970 §3.3).
    const isForBoot = event.bootFileUrl !== undefined || (event.address !== undefined && request?.vendorClass);
    if (!request || !isForBoot) return undefined;
    return { ipxe: request.ipxe, text: `DHCPv6 reply with ${event.address ?? event.bootFileUrl}` };
  }
  return undefined;
}

/** All files of one stage are delivered, each with its full length. */
function allDelivered(files: readonly ExpectedFile[], observed: Observed): string | undefined {
  if (files.length === 0) return undefined;
  for (const { name, bytes } of files) {
    const got = observed.delivered.get(name);
    if (got === undefined || (bytes !== undefined && got !== bytes)) return undefined;
  }
  return files.map(({ name }) => `${name} (${observed.delivered.get(name)} bytes)`).join(', ');
}

/** The name that the guest requests over TFTP or HTTP. */
function requestOf(event: WireEvent): string | undefined {
  if (event.type === 'tftp-request') return nameOf(event.file);
  if (event.type === 'http-request') return nameOfTarget(event.target);
  return undefined;
}

/**
 * EDK II's PXE client sends the version from its driver's network interface identifier (iPXE: 3.1), or 3.0 if the driver
 * publishes none, like VirtioNetDxe (UefiPxeBcDxe; option 94, RFC 4578 §2.2).
 */
const noInterface = '1.3.0';
export const hasInterface = (ndi: string | undefined): boolean => ndi !== undefined && ndi !== noInterface;

/** Requests that show a loader running that is silent on the console. */
const loaderRequests: Partial<Record<Plan['loader'], RegExp>> = {
  'shim-grub': /^(.*\/)?(grub(net)?(x64|aa64)\.efi|revocations.*\.efi|mm(x64|aa64)\.efi)$/i,
  grub: /(^|\/)(grub\.cfg.*|[a-z0-9_]+-efi\/.*|i386-pc\/.*)$/,
  pxelinux: /(^|\/)(ldlinux\.c32|pxelinux\.cfg\/.*)$/,
  syslinux: /(^|\/)(ldlinux\.e64|pxelinux\.cfg\/.*)$/,
};

/** Stages whose evidence is delivery: which list of the plan, and the stage. */
const deliveryStages = [
  { name: 'nbp-delivered', stage: 'nbp-fetch', list: 'nbp' },
  { name: 'config-delivered', stage: 'config', list: 'config' },
  { name: 'payload-delivered', stage: 'payload-fetch', list: 'payload' },
] as const;

/** For every source that can show a delivery: the wire, the console, and the HTTPS server where frames cannot. */
export const deliveryRules: readonly Rule[] = deliveryStages.map(
  ({ name, stage, list }): Rule => ({
    name,
    proves:
      'the guest acknowledged the last byte of each file, or reports its length, and the lengths are those served',
    match(_event, plan, observed) {
      // Where the configuration is the last stage, only its token proves that it took effect.
      if (!observed.delivery || plan.stagePath.at(-1) === stage) return;
      const text = allDelivered(plan.deliveries[list], observed);
      return text === undefined ? undefined : { stage, text };
    },
  }),
);

export const wireRules: readonly Rule<WireEvent>[] = [
  {
    name: 'uefi-client',
    proves:
      'a DISCOVER from a client that identifies itself as UEFI (RFC 4578) and not as iPXE comes from the firmware',
    match(event, plan, observed) {
      if (!isUefi(plan) || observed.stages.has('firmware') || event.type !== 'dhcp' || event.from !== 'guest') return;
      return event.vendorClass && !event.ipxe ? { stage: 'firmware', text: event.vendorClass } : undefined;
    },
  },
  {
    name: 'uefi-dispatched-rom-client',
    proves: 'iPXE asks before any NBP was delivered, and a UEFI ROM runs only once the firmware has dispatched it',
    match(event, plan, observed) {
      if (event.type !== 'dhcp' || event.from !== 'guest' || !event.ipxe) return;
      if (!isUefi(plan) || !romCanRun(plan) || observed.stages.has('nbp-fetch')) return;
      return { stage: 'firmware', text: `iPXE from the option ROM: ${event.vendorClass}` };
    },
  },
  {
    name: 'rom-client',
    proves:
      'an interface version other than the default (option 94) comes from a network interface identifier, which only a driver from the ROM publishes',
    match(event, plan, observed) {
      if (event.type !== 'dhcp' || event.from !== 'guest' || event.messageType !== 'discover') return;
      if (!isUefi(plan) || !romCanRun(plan) || observed.stages.has('nbp-fetch')) return;
      if (event.ipxe)
        return { stage: 'oprom', text: `iPXE asks before any NBP was delivered (user class ${event.userClass})` };
      return hasInterface(event.ndi)
        ? { stage: 'oprom', text: `${event.vendorClass}, interface ${event.ndi}` }
        : undefined;
    },
  },
  {
    name: 'first-lease',
    proves: 'an ACK with an address answers this guest, before any NBP was delivered',
    match(event, plan, observed) {
      if (observed.stages.has('nbp-fetch')) return;
      const lease = leased(event, plan, observed);
      return lease && { stage: 'dhcp', text: lease.text };
    },
  },
  {
    name: 'nbp-lease',
    proves: 'an ACK with an address answers the second stage, after the NBP was delivered',
    match(event, plan, observed) {
      if (!observed.stages.has('nbp-fetch')) return;
      const lease = leased(event, plan, observed);
      return lease?.ipxe ? { stage: 'nbp-dhcp', text: lease.text } : undefined;
    },
  },
  ...deliveryRules,
  {
    name: 'loader-request',
    proves: 'only the NBP asks for this name',
    match(event, plan, observed) {
      const name = requestOf(event);
      if (name === undefined || !observed.stages.has('nbp-fetch')) return;
      return loaderRequests[plan.loader]?.test(name) ? { stage: 'nbp', text: `asked for ${name}` } : undefined;
    },
  },
];
