// How to see that a boot has met its break.

const udp = 17;
const tcp = 6;
const [ipv4, ipv6] = [0x0800, 0x86dd];

/** A frame to a server (UDP or TCP), as opposed to ARP, ICMP and the like. */
export function isRequest(frame) {
  const etherType = frame.readUInt16BE(12);
  const protocol = etherType === ipv4 ? frame[23] : etherType === ipv6 ? frame[20] : undefined;
  return protocol === udp || protocol === tcp;
}

/** Whether losing a frame can break a boot over this IP version: a client solicits routers over IPv6 whatever it boots by. */
export const mattersOver = (ipVersion) => (frame) => ipVersion === 6 || frame.readUInt16BE(12) !== ipv6;

/** The name in a URL or path, as in the served tree. */
const nameOf = (target) => target.replace(/^[a-z]+:\/\/[^/]+/, '').replace(/^\/+/, '');

/** Requests by name, to any server; within TLS only the server sees them. */
const requests = { 'tftp-request': 'file', 'nfs-lookup': 'file', 'http-request': 'target', served: 'target' };

const namedBy = (fields) => (names) => (event) => names.includes(nameOf(event[fields[event.type]] ?? ''));

/** Whether an event shows that the guest asked for one of these names. */
export const asksFor = namedBy(requests);

/** Events at the end of a transfer; `served` also covers a response that broke off. */
const ends = { 'tftp-complete': 'file', 'nfs-complete': 'file', 'http-complete': 'target', served: 'target' };
const isEndOf = namedBy(ends);

/** Whether an event shows that the guest reached the end of one of these files. */
export const comesToEndOf = (names) => (event) => event.method !== 'HEAD' && isEndOf(names)(event);
