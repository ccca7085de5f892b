import type { Dhcp6Facts } from '../../model/events.ts';
import { type Dhcp6Message, dhcp6Options, optionOf, parseClasses, parseIaNa } from '../codecs/dhcp6.ts';

/** What a message says about its sender, read once per packet. */
export function dhcp6FactsOf(message: Dhcp6Message): Dhcp6Facts {
  const duid = optionOf(message, dhcp6Options.clientId);
  const ia = optionOf(message, dhcp6Options.iaNa);
  const url = optionOf(message, dhcp6Options.bootFileUrl);
  const arch = optionOf(message, dhcp6Options.clientArch);
  const vendor = optionOf(message, dhcp6Options.vendorClass);
  const user = optionOf(message, dhcp6Options.userClass);
  const address = ia && parseIaNa(ia)?.addresses[0]?.ip;
  const vendorClass = vendor && parseClasses(vendor.subarray(4))[0];
  const userClass = user && parseClasses(user)[0];
  return {
    messageType: message.messageType,
    xid: message.xid,
    ...(duid === undefined ? {} : { clientDuid: duid.toString('hex') }),
    ...(address === undefined ? {} : { address }),
    ...(url === undefined ? {} : { bootFileUrl: url.toString('latin1') }),
    ...(arch && arch.length >= 2 ? { clientArch: arch.readUInt16BE(0) } : {}),
    ...(vendorClass === undefined ? {} : { vendorClass }),
    ...(userClass === undefined ? {} : { userClass }),
    codes: message.options.map(({ code }) => code),
  };
}
