import type { Configuration } from '../model/axes.ts';
import { romKindOf } from '../model/axis-text.ts';
import type { HarnessEvent } from '../model/events.ts';
import type { Plan } from '../model/plan.ts';
import { hasRom } from '../model/scenario.ts';
import { hasInterface } from '../observe/wire-rules.ts';

type Dhcp = Extract<HarnessEvent, { source: 'wire'; type: 'dhcp' }>;
type Dhcp6 = Extract<HarnessEvent, { source: 'wire'; type: 'dhcp6' }>;

interface FirstClient {
  ipxe: boolean;
  /** The client's interface came with a network interface identifier: a driver from the ROM. */
  romDriver: boolean;
}

/** Who sent the first DISCOVER (or SOLICIT), by its own identification. */
function firstClientOf(events: readonly HarnessEvent[]): FirstClient | undefined {
  const first = events.find(
    (event): event is Dhcp | Dhcp6 =>
      event.source === 'wire' &&
      ((event.type === 'dhcp' && event.messageType === 'discover') ||
        // A SOLICIT without either is EDK II's IPv6 stack configuring itself.
        (event.type === 'dhcp6' && event.from === 'guest' && (event.vendorClass ?? event.userClass) !== undefined)),
  );
  if (!first) return undefined;
  if (first.type === 'dhcp6') return { ipxe: first.userClass === 'iPXE', romDriver: false };
  return { ipxe: first.ipxe || first.userClass === 'iPXE', romDriver: hasInterface(first.ndi) };
}

/** Inspection found an iPXE in the ROM that this firmware would run. */
const romIsIpxe = (plan: Plan): boolean =>
  plan.inputs.some(({ role, ipxe }) => role === 'oprom' && ipxe?.[plan.interface] !== undefined);

/** Kinds whose EFI image this machine would run: it may be active even if the client reports no interface. */
const silentRoms: readonly (string | null)[] = ['vendor-snp', null];

interface Facts {
  bios: boolean;
  client: FirstClient;
  standInDeclared: boolean;
  romInBar: boolean;
  ipxeRom: boolean;
  silentRom: boolean;
}

interface Row {
  configuration: Configuration | null;
  standIn?: true;
  holds: (facts: Facts) => boolean;
  finding?: string;
}

const sameEvidence =
  'configurations 3 and 6 leave the same evidence here: a driver without a network interface identifier, whether ' +
  "from the ROM or the firmware's own; inspection of the ROM alone says 3";

/** The six configurations by their evidence; the first row that holds. */
const rows: readonly Row[] = [
  // Served as a vendor's PXE ROM would be: iPXE identifies itself, and the case is labelled so.
  {
    configuration: 1,
    standIn: true,
    holds: ({ bios, client, standInDeclared }) => bios && client.ipxe && standInDeclared,
  },
  { configuration: 2, holds: ({ bios, client }) => bios && client.ipxe },
  { configuration: 1, holds: ({ bios }) => bios },
  { configuration: 4, holds: ({ client, romInBar }) => client.ipxe && romInBar },
  { configuration: 5, holds: ({ client, romInBar, ipxeRom }) => client.romDriver && romInBar && ipxeRom },
  { configuration: 3, holds: ({ client, romInBar }) => client.romDriver && romInBar },
  { configuration: null, holds: ({ silentRom }) => silentRom, finding: sameEvidence },
  { configuration: 6, holds: () => true },
];

export interface ObservedConfiguration {
  /** Null while no client was seen, and where the evidence is ambiguous. */
  configuration: Configuration | null;
  standIn: true | undefined;
  finding: string | null;
}

/** The configuration the evidence shows. */
export function observeConfiguration(plan: Plan, events: readonly HarnessEvent[]): ObservedConfiguration {
  const client = firstClientOf(events);
  if (!client) return { configuration: null, standIn: undefined, finding: null };
  const facts: Facts = {
    bios: plan.interface === 'bios',
    client,
    standInDeclared: plan.scenario.standIn === true,
    romInBar: hasRom(plan.scenario.rom),
    ipxeRom: romIsIpxe(plan),
    silentRom: silentRoms.includes(romKindOf(plan.scenario.rom)),
  };
  const row = rows.find(({ holds }) => holds(facts));
  return {
    configuration: row?.configuration ?? null,
    standIn: row?.standIn,
    finding: row?.finding ?? null,
  };
}
