/** The parts of the `dhcp` package (0.2.20, no types of its own) that the codec uses. */
declare module 'dhcp/lib/protocol.js' {
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
    /** Every option as octets, once the codec has registered its table. */
    options: Record<number, number[]>;
  }
  const protocol: {
    parse(payload: Buffer): PackageMessage;
    /** Writes into 1500 octets; `_w` of them are used. Throws RangeError beyond. */
    format(message: PackageMessage): { _data: Buffer; _w: number };
  };
  export default protocol;
}

declare module 'dhcp/lib/options.js' {
  const options: {
    opts: Record<number, { name: string; type: string } | undefined>;
    addOption(code: number, option: { name: string; type: string }): void;
  };
  export default options;
}
