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

export const asksFor = (name) => (event) => nameOf(event[requests[event.type]] ?? '') === name;
