/**
 * How much of a guest's output a case keeps. A guest that prints, asks or sends without end must cost neither the
 * harness's memory nor the other cases; and a record that was cut must say so. Beside each bound: the most that a cell of
 * the default matrix has used of it.
 */
export const recordBounds = {
  /** events.jsonl, which is held in memory too: one line takes up to twice its length there. Seen: 74 KB, 552 events. */
  eventLogBytes: 16 << 20,
  /** serial.raw. Seen: 29 KB. A DEBUG build of EDK II prints some 5 MB. */
  serialBytes: 16 << 20,
  /** Lines of console.txt, blank ones included: a line feed is one byte of serial and some thirty of memory. Seen: 405. */
  consoleLines: 200_000,
  /** Frames that ask for no service: ARP, ICMP, what is malformed, ports that are closed. Seen: 16. */
  idleFrames: 100_000,
  /** firmware-debug.log, which QEMU writes. Seen: 3 KB; a DEBUG build of EDK II writes some 5 MB. */
  firmwareDebugBytes: 64 << 20,
  /** wire.pcapng. Seen: 80 MB, an installer's kernel and initrd. */
  captureBytes: 512 << 20,
  /** qemu.stderr, and what of it becomes events. Seen: 212 bytes. */
  stderrBytes: 1 << 20,
} as const;
export type RecordBound = keyof typeof recordBounds;
export const recordBoundNames = Object.keys(recordBounds) as [RecordBound, ...RecordBound[]];

/**
 * How many of what a guest can open or name are held at a time; beside each, what becomes of one more. A guest that boots
 * has one or two of each. All of a case's readers of files together hold less than 128 MiB: two pieces of 1 MiB each.
 */
export const tableBounds = {
  /** Addresses of a DHCP server: the oldest that was offered and not taken up is given to another. */
  leases: 64,
  /** Associations of one DHCPv6 message: more are not answered. */
  associations: 8,
  /** TFTP transfers: one whose guest has gone silent gives way, otherwise the request is refused. */
  tftpTransfers: 16,
  /** Connections to one TCP server: closed at once. */
  connections: 16,
  /** Requests on one HTTP connection that wait for their turn: the connection is closed. */
  pipelinedRequests: 16,
  /** NFS file handles: the one used longest ago is stale. */
  nfsHandles: 16,
  /** TCP connections that a sniffer follows: the oldest is not followed any more. */
  sniffedConnections: 64,
  /** HTTP requests and responses in flight on one of them: it is not followed any more. */
  sniffedRequests: 32,
  /** Calls of NFS on one of them: further ones are not looked at. */
  sniffedCalls: 32,
  /** File handles that the NFS sniffer has a name for: the oldest is forgotten. */
  sniffedHandles: 256,
  /** TFTP requests, and transfers, that the sniffer follows: the one silent longest is not followed any more. */
  sniffedTransfers: 64,
  /** Facts of ARP and ICMPv6, reasons of malformed frames: no event for more of them. */
  facts: 256,
  /** Addresses and ports that a guest was refused: no event for more of them. */
  refusals: 1024,
  /** xids that the rules remember a REQUEST of: the oldest is forgotten, and its acknowledgement proves nothing. */
  requests: 1024,
} as const;

/** Past these the case goes on, and its record says what it lacks: no verdict rests on them. */
const goesOn: readonly RecordBound[] = ['captureBytes', 'stderrBytes'];

/** The event that says a bound was reached. */
export const boundReached = (what: RecordBound) =>
  ({ source: 'run', type: 'bounded', what, limit: recordBounds[what], ends: !goesOn.includes(what) }) as const;
