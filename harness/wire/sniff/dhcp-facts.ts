import type { DhcpFacts } from '../../model/events.ts';
import type { DhcpMessage } from '../codecs/dhcp.ts';
import { ipOf, parseUserClasses, textOf } from '../codecs/dhcp-options.ts';

/** What only the datagram shows. */
export type DatagramFacts = Pick<DhcpFacts, 'senderIp' | 'targetIp' | 'bytes'>;

/** What a message says about its sender, read once per packet; `port` is the UDP destination port. */
export function dhcpFactsOf(message: DhcpMessage, port: number, about?: DatagramFacts): DhcpFacts {
  const { options } = message;
  const text = (code: number) => {
    const value = options.get(code);
    return value && textOf(value);
  };
  const ndi = options.get(94);
  const arch = options.get(93);
  const machineId = options.get(97);
  const userClass = options.get(77);
  return {
    messageType: message.messageType,
    port,
    ...about,
    ...(message.broadcast ? { broadcast: true } : {}),
    xid: message.xid,
    mac: message.mac,
    ciaddr: message.ciaddr,
    yiaddr: message.yiaddr,
    siaddr: message.siaddr,
    giaddr: message.giaddr,
    sname: message.sname,
    file: message.file,
    ...given('requestedIp', ipOf(options.get(50))),
    ...given('serverId', ipOf(options.get(54))),
    ...given('vendorClass', text(60)),
    ...given('userClass', userClass && parseUserClasses(userClass)[0]),
    ...given('clientArch', arch && arch.length >= 2 ? arch.readUInt16BE(0) : undefined),
    ...given('ndi', ndi?.length === 3 ? ndi.join('.') : undefined),
    ...given('machineId', machineId && machineId.length > 1 ? machineId.toString('hex', 1) : undefined),
    ipxe: options.has(175),
    ...given('tftpServerName', text(66)),
    ...given('bootFile', text(67)),
    codes: [...options.keys()],
  };
}

function given<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}
