// What shows that a break has met the boot that it was made for.

const udp = 17;
const tcp = 6;
const [ipv4, ipv6] = [0x0800, 0x86dd];

/** A frame that asks something of a server, not of the network. */
export function isRequest(frame) {
  const etherType = frame.readUInt16BE(12);
  const protocol = etherType === ipv4 ? frame[23] : etherType === ipv6 ? frame[20] : undefined;
  return protocol === udp || protocol === tcp;
}

/** The name in a URL or path, as the served tree has it. */
const nameOf = (target) => target.replace(/^[a-z]+:\/\/[^/]+/, '').replace(/^\/+/, '');

/** What the guest asks for by name, of whichever server; what it asks for within TLS only the server can tell. */
const requests = { 'tftp-request': 'file', 'nfs-lookup': 'file', 'http-request': 'target', served: 'target' };

const namedBy = (fields) => (names) => (event) => names.includes(nameOf(event[fields[event.type]] ?? ''));

/** Whether an event shows that the guest asked for one of these names. */
export const asksFor = namedBy(requests);

/** How the end of a transfer is told; `served` also tells that a response broke off. */
const ends = { 'tftp-complete': 'file', 'nfs-complete': 'file', 'http-complete': 'target', served: 'target' };
const isEndOf = namedBy(ends);

/** Whether an event shows that the guest came to the end of one of these files. */
export const comesToEndOf = (names) => (event) => event.method !== 'HEAD' && isEndOf(names)(event);
