/**
 * How much of a guest's output a case keeps. A guest that prints, asks or sends endlessly must not exhaust the harness's
 * memory or disturb other cases, and a truncated record must say so. "Seen" is the most that any cell of the default
 * matrix has used.
 */
export const recordBounds = {
  /**
   * events.jsonl, all of which is read when the case is judged or reported: it takes up to twice its length in memory
   * then. Seen: 79 KB, 552 events; a DEBUG build of EDK II (see below) takes 11 MB, in lines of 60 characters.
   */
  eventLogBytes: 12 << 20,
  /** serial.raw. Seen: 29 KB. A DEBUG build of EDK II prints some 5 MB. */
  serialBytes: 16 << 20,
  /** Lines of console.txt, blank ones included: a line feed is one byte of serial output but about thirty of memory. Seen: 405. */
  consoleLines: 200_000,
  /** Frames that address no service: ARP, ICMP, malformed frames, closed ports. Seen: 16. */
  idleFrames: 100_000,
  /** firmware-debug.log, which QEMU writes. Seen: 3 KB; a DEBUG build of EDK II writes some 5 MB. */
  firmwareDebugBytes: 64 << 20,
  /** wire.pcapng. Seen: 80 MB, an installer's kernel and initrd. */
  captureBytes: 512 << 20,
  /** Frames on their way to wire.pcapng; further ones are left out until the disk catches up. */
  captureBacklogBytes: 16 << 20,
  /** qemu.stderr, and the part of it that becomes events. Seen: 212 bytes. */
  stderrBytes: 1 << 20,
  /** The log of one program of a provisioner, and the part of it that becomes events. Seen: 3 KB. */
  provisionerLogBytes: 1 << 20,
} as const;
export type RecordBound = keyof typeof recordBounds;
export const recordBoundNames = Object.keys(recordBounds) as [RecordBound, ...RecordBound[]];

/**
 * How many of the things a guest can open or name are held at a time; each comment says what happens to one more. A guest
 * that boots has one or two of each. All file readers of a case together hold less than 64 MiB: two 512 KiB pieces each.
 */
export const tableBounds = {
  /** Addresses of a DHCP server: the oldest offer that was not accepted is reused. */
  leases: 64,
  /** Identity associations in one DHCPv6 message: further ones are not answered. */
  associations: 8,
  /** TFTP transfers: a stalled one is dropped, otherwise the request is refused. */
  tftpTransfers: 16,
  /** DHCP messages that a relay agent passes on in a boot, in either direction: further ones are dropped. */
  relayedMessages: 1024,
  /** Connections to one TCP server: a further one is closed at once. */
  connections: 16,
  /** Pipelined requests on one HTTP connection: the connection is closed. */
  pipelinedRequests: 16,
  /** NFS file handles: the least recently used becomes stale. */
  nfsHandles: 16,
  /** Frames that a fault holds back: further ones are dropped. */
  delayedFrames: 1024,
  /** Ports of a guest whose file a fault that matches by name knows: the one that asked first is forgotten. */
  namedFlows: 64,
  /** TCP connections that a sniffer follows: the oldest is dropped. */
  sniffedConnections: 64,
  /** HTTP requests and responses in flight on one of them: the connection is dropped. */
  sniffedRequests: 32,
  /** Files that come by HTTP, of which a guest may ask for the rest on another connection: the oldest is forgotten. */
  partFiles: 64,
  /** NFS calls on one of them: further ones are ignored. */
  sniffedCalls: 32,
  /** File handles whose names the NFS sniffer knows: the oldest is forgotten. */
  sniffedHandles: 256,
  /** TFTP requests, and transfers, that the sniffer follows: the one idle longest is dropped. */
  sniffedTransfers: 64,
  /** ARP and ICMPv6 facts, reasons for malformed frames: no event for further ones. */
  facts: 256,
  /** Addresses and ports refused to a guest: no event for further ones. */
  refusals: 1024,
  /** xids of REQUESTs that the rules remember: the oldest is forgotten, and its ACK proves nothing. */
  requests: 1024,
} as const;

/** Past these the case continues and its record says what is missing: no verdict rests on them. */
const goesOn: readonly RecordBound[] = ['captureBytes', 'captureBacklogBytes', 'stderrBytes', 'provisionerLogBytes'];

/** The event that says a bound was reached. */
export const boundReached = (what: RecordBound, limit: number = recordBounds[what]) =>
  ({ source: 'run', type: 'bounded', what, limit, ends: !goesOn.includes(what) }) as const;
