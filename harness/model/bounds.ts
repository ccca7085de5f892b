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

/** Past these the case goes on, and its record says what it lacks: no verdict rests on them. */
const goesOn: readonly RecordBound[] = ['captureBytes', 'stderrBytes'];

/** The event that says a bound was reached. */
export const boundReached = (what: RecordBound) =>
  ({ source: 'run', type: 'bounded', what, limit: recordBounds[what], ends: !goesOn.includes(what) }) as const;
