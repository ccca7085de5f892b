import type { Configuration } from '../model/axes.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import type { Stage } from '../model/stages.ts';

type Dhcp = Extract<HarnessEvent, { source: 'wire'; type: 'dhcp' }>;
type Dhcp6 = Extract<HarnessEvent, { source: 'wire'; type: 'dhcp6' }>;

export interface FirstClient {
  ipxe: boolean;
  /** The client named a network interface identifier other than EDK II's own default: a ROM's driver. */
  romDriver: boolean;
}

/** UNDI 3.16 is what iPXE's and vendors' NII tell; EDK II's PXE client says 3.0 or 3.1 where there is none. */
const romNdi = '1.3.16';

/** Who sent the first DISCOVER (or SOLICIT), by what it says of itself. */
export function firstClientOf(events: readonly HarnessEvent[]): FirstClient | undefined {
  const first = events.find(
    (event): event is Dhcp | Dhcp6 =>
      event.source === 'wire' &&
      ((event.type === 'dhcp' && event.messageType === 'discover') ||
        (event.type === 'dhcp6' && event.from === 'guest')),
  );
  if (!first) return undefined;
  if (first.type === 'dhcp6') return { ipxe: first.userClass === 'iPXE', romDriver: false };
  return { ipxe: first.ipxe || first.userClass === 'iPXE', romDriver: first.ndi === romNdi };
}

/** An iPXE image among the PCIR images of the ROM, as its parsing told. */
const romIsIpxe = (plan: Plan): boolean =>
  plan.inputs.some(({ role, identity }) => role === 'oprom' && /ipxe/i.test(identity ?? ''));

interface Facts {
  bios: boolean;
  client: FirstClient;
  nbpRan: boolean;
  ipxeRom: boolean;
}

/** The six configurations told from evidence; the first row that holds. */
const rows: readonly { configuration: Configuration; holds: (facts: Facts) => boolean }[] = [
  // BIOS: the ROM is the PXE client, and what it loaded over the network ran.
  { configuration: 1, holds: ({ bios, nbpRan }) => bios && nbpRan },
  { configuration: 2, holds: ({ bios, client }) => bios && client.ipxe },
  // A vendor's PXE ROM that never got its NBP to run.
  { configuration: 1, holds: ({ bios }) => bios },
  { configuration: 4, holds: ({ client }) => client.ipxe },
  { configuration: 5, holds: ({ client, ipxeRom }) => client.romDriver && ipxeRom },
  { configuration: 3, holds: ({ client }) => client.romDriver },
  { configuration: 6, holds: () => true },
];

/** The configuration the evidence shows; null while no client has spoken. */
export function observeConfiguration(
  plan: Plan,
  events: readonly HarnessEvent[],
  reached: ReadonlySet<Stage>,
): Configuration | null {
  const client = firstClientOf(events);
  if (!client) return null;
  const facts: Facts = {
    bios: plan.scenario.firmware === 'seabios',
    client,
    nbpRan: reached.has('nbp'),
    ipxeRom: romIsIpxe(plan),
  };
  return rows.find(({ holds }) => holds(facts))?.configuration ?? null;
}
