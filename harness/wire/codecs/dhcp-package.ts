import { createRequire } from 'node:module';

/** A message as the `dhcp` package has it; addresses as dotted quads. */
interface PackageMessage {
  op: number;
  htype: number;
  hlen: number;
  hops: number;
  xid: number;
  secs: number;
  flags: number;
  ciaddr: string;
  yiaddr: string;
  siaddr: string;
  giaddr: string;
  /** Upper-case hex pairs joined by `-`. */
  chaddr: string;
  sname: string;
  file: string;
  /** Every option as bytes; plain arrays only, since the package encodes a Buffer as nothing. */
  options: Record<number, number[]>;
}

/** The wire codec of the `dhcp` package (0.2.20, which has no types). */
interface PackageCodec {
  parse(payload: Buffer): PackageMessage;
  /** Writes into 1500 bytes; `_w` of them are used. Throws RangeError beyond. */
  format(message: PackageMessage): { _data: Buffer; _w: number };
}

interface OptionTable {
  addOption(code: number, option: { name: string; type: string }): void;
}

const require = createRequire(import.meta.url);
const files = [
  require.resolve('dhcp/lib/protocol.js'),
  require.resolve('dhcp/lib/seqbuffer.js'),
  require.resolve('dhcp/lib/options.js'),
  require.resolve('dhcp/lib/tools.js'),
];

/**
 * Loads a private copy of the package. Its option table is global to the process, and its readers run past a short
 * option, print unknown ones and drop their bytes. Ours declares every code as bytes, and must not leak to others.
 */
export function loadPackageCodec(): PackageCodec {
  const { cache } = require;
  const others = files.map((file) => [file, cache[file]] as const);
  for (const file of files) delete cache[file];
  try {
    const codec = require('dhcp/lib/protocol.js') as PackageCodec;
    const table = require('dhcp/lib/options.js') as OptionTable;
    for (let code = 1; code < 255; code++) table.addOption(code, { name: `Option ${code}`, type: 'UInt8s' });
    return codec;
  } finally {
    for (const [file, module] of others) {
      if (module === undefined) delete cache[file];
      else cache[file] = module;
    }
  }
}
