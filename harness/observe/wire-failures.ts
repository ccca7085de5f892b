import { ipxeLoaders } from '../model/axes.ts';
import type { CertificateFacts } from '../model/events.ts';
import type { FailureRule } from '../model/failure-rules.ts';
import type { Rule, RuleMatch } from './evidence.ts';
import type { WireEvent } from './wire-rules.ts';

const remark = (failure: FailureRule, text: string): RuleMatch => ({ failure, text, ends: false });

const certificateText = ({ names, issuer }: CertificateFacts): string =>
  `the server's certificate for ${names}, issued by ${issuer}`;

/** A single offer may have been lost, or come too late. */
const refusedOffers = 2;
/** Once may be a ROM's iPXE that tries again. */
const endlessFetches = 2;

/**
 * Signs on the wire of why a boot went no further. All are remarks, since the guest may try again. Firmware prints the
 * same message for many causes; the exchange on the wire tells them apart.
 */
export const wireFailureRules: readonly Rule<WireEvent>[] = [
  {
    name: 'offer-not-taken',
    proves: 'the guest had several offers, and asks for one again under the same transaction id (RFC 2131 §3.1)',
    match(event, _plan, { offers }) {
      if (event.type !== 'dhcp' || event.from !== 'guest' || event.messageType !== 'discover') return;
      const { address, count } = offers.get(event.xid) ?? { address: '', count: 0 };
      if (count < refusedOffers) return;
      return remark('offer-not-taken', `${address} was offered ${count} times, and is not taken`);
    },
  },
  {
    name: 'nbp-loop',
    proves: 'the iPXE that the NBP is was given the NBP again, and so was that one',
    match(_event, { loader }, { delivery, nbpAgain }) {
      if (delivery === undefined || nbpAgain < endlessFetches || !ipxeLoaders.includes(loader)) return;
      const text = `${delivery.name} was fetched ${nbpAgain + 1} times, each time by the one before`;
      return { failure: 'nbp-loop', text, ends: true };
    },
  },
  {
    name: 'no-address-offered',
    proves: 'a DHCPv6 server answered the SOLICIT without an address (RFC 8415 §18.3.9)',
    match: (event) =>
      event.type === 'dhcp6' &&
      event.from === 'server' &&
      event.messageType === 'advertise' &&
      event.address === undefined
        ? remark('no-address-offered', 'the server advertises no address')
        : undefined,
  },
  {
    name: 'tftp-stalled',
    proves: 'the guest keeps acknowledging one block although the next ones reach its NIC: it no longer receives',
    match: (event) =>
      event.type === 'tftp-stalled'
        ? remark('tftp-stalled', `${event.file}: block ${event.block} is acknowledged again, not those sent after it`)
        : undefined,
  },
  {
    name: 'http-cut-short',
    proves: 'the guest acknowledged the end of the connection before Content-Length bytes had arrived (RFC 9112 §8)',
    match: (event) =>
      event.type === 'http-cut-short'
        ? remark('http-cut-short', `${event.target}: ${event.bytes} of ${event.length ?? 'more'} bytes`)
        : undefined,
  },
  {
    name: 'tls-refused',
    proves:
      "the guest had the server's whole certificate, and left or sent an alert instead of going on (RFC 5246 §7.3)",
    match(event) {
      if (event.type !== 'tls' || event.from !== 'guest' || event.certificate === undefined) return;
      const how = event.kind === 'left' ? 'left the handshake at' : `answered with ${event.kind}`;
      return remark('tls-refused', `${how} ${certificateText(event.certificate)}`);
    },
  },
];
