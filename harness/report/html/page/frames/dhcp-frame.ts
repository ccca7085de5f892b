import { clientArchs } from '../../../../model/client-archs.ts';
import type { RecordedEvent } from '../../report-data.ts';
import { dhcp6OptionNames, dhcpOptionNames } from './dhcp-names.ts';

type Dhcp = Extract<RecordedEvent, { type: 'dhcp' }>;
type Dhcp6 = Extract<RecordedEvent, { type: 'dhcp6' }>;
type Fields = [name: string, value: string][];

const archText = (arch: number): string => `${arch} (${clientArchs[arch]?.name ?? 'not a known one'})`;
const isSet = (address: string): boolean => address !== '' && address !== '0.0.0.0';

export function dhcpSummary(event: Dhcp): string {
  const { messageType, port, yiaddr, vendorClass, userClass, bootFile, file } = event;
  const facts = [
    ...(isSet(yiaddr) ? [yiaddr] : []),
    ...(event.from === 'guest' && vendorClass !== undefined ? [vendorClass] : []),
    ...(userClass === undefined ? [] : [`user class ${userClass}`]),
    ...(event.from === 'server' ? [bootFile || file || 'nothing to boot'] : []),
    ...(port === 4011 ? ['port 4011'] : []),
  ];
  return `${messageType.toUpperCase()} ${facts.join(', ')}`;
}

/** What the events keep of an option's value. */
function optionValues(event: Dhcp): Partial<Record<number, string>> {
  const { messageType, requestedIp, serverId, vendorClass, userClass, clientArch, ndi, machineId } = event;
  const values = {
    50: requestedIp,
    53: messageType.toUpperCase(),
    54: serverId,
    60: vendorClass,
    66: event.tftpServerName,
    67: event.bootFile,
    77: userClass,
    93: clientArch === undefined ? undefined : archText(clientArch),
    94: ndi,
    97: machineId,
  };
  return values as Partial<Record<number, string>>;
}

const hexId = (xid: number): string => `0x${(xid >>> 0).toString(16).padStart(8, '0')}`;

function optionFields(
  codes: readonly number[],
  names: Readonly<Record<number, string>>,
  values: Partial<Record<number, string>>,
): Fields {
  return codes.map((code) => [`${code} ${names[code] ?? 'option'}`, values[code] ?? '']);
}

export function dhcpFields(event: Dhcp): Fields {
  const { xid, mac, ciaddr, yiaddr, siaddr, giaddr, sname, file, port } = event;
  const header: Fields = [
    ['xid', hexId(xid)],
    ['client', mac],
    ['to port', String(port)],
  ];
  const addresses = Object.entries({ ciaddr, yiaddr, siaddr, giaddr, sname, file }).filter(([, value]) => isSet(value));
  return [...header, ...addresses, ...optionFields(event.codes, dhcpOptionNames, optionValues(event))];
}

export function dhcp6Summary({ messageType, address, bootFileUrl, vendorClass, userClass }: Dhcp6): string {
  const facts = [address, bootFileUrl, vendorClass, userClass && `user class ${userClass}`];
  return `${messageType.toUpperCase()} (v6) ${facts.filter(Boolean).join(', ')}`;
}

export function dhcp6Fields(event: Dhcp6): Fields {
  const { xid, clientDuid, address, bootFileUrl, clientArch, vendorClass, userClass } = event;
  const values: Partial<Record<number, string>> = {
    ...(clientDuid === undefined ? {} : { 1: clientDuid }),
    ...(address === undefined ? {} : { 3: address }),
    ...(userClass === undefined ? {} : { 15: userClass }),
    ...(vendorClass === undefined ? {} : { 16: vendorClass }),
    ...(bootFileUrl === undefined ? {} : { 59: bootFileUrl }),
    ...(clientArch === undefined ? {} : { 61: archText(clientArch) }),
  };
  return [['xid', `0x${xid.toString(16).padStart(6, '0')}`], ...optionFields(event.codes, dhcp6OptionNames, values)];
}
