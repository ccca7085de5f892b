/** The options of a planned command line that tie QEMU to the harness, by what they are for. */
const wiring: readonly (readonly [
  option: string,
  value: RegExp,
  purpose: 'control' | 'console' | 'network' | 'uplink',
])[] = [
  ['-chardev', /^socket,id=qmp,fd=\d+$/, 'control'],
  ['-mon', /^chardev=qmp,mode=control$/, 'control'],
  ['-chardev', /^socket,id=serial,fd=\d+$/, 'control'],
  ['-serial', /^chardev:serial$/, 'console'],
  ['-netdev', /^stream,id=net0,server=off,addr\.type=fd,addr\.str=\d+$/, 'network'],
  ['-netdev', /^user,id=up,/, 'uplink'],
  ['-netdev', /^stream,id=uplink,server=off,addr\.type=fd,addr\.str=\d+$/, 'uplink'],
  ['-netdev', /^hubport,id=hub-up,/, 'uplink'],
  ['-netdev', /^hubport,id=hub-link,/, 'uplink'],
];

/** What takes the place of the guest's console and network. */
export interface Instead {
  console: readonly string[];
  network: readonly string[];
}

/**
 * A planned command line of QEMU for use without the harness; undefined if it is not wired as this version does it. A guest
 * that shuts down ends QEMU.
 */
export function withoutHarness(argv: readonly string[], instead: Instead): string[] | undefined {
  const found = new Set<number>();
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const [option, value] = [argv[at] as string, argv[at + 1] ?? ''];
    const row = wiring.findIndex(
      ([name, pattern], index) => !found.has(index) && name === option && pattern.test(value),
    );
    const purpose = wiring[row]?.[2];
    if (purpose === undefined) {
      if (option !== '-no-shutdown') words.push(option);
      continue;
    }
    found.add(row);
    at += 1;
    if (purpose === 'console' || purpose === 'network') words.push(...instead[purpose]);
  }
  // Plans of guests without TCP had no uplink once.
  const isWhole = wiring.every(([, , purpose], row) => purpose === 'uplink' || found.has(row));
  return isWhole ? words : undefined;
}
