/** pcapng (draft-ietf-opsawg-pcapng): one section, one Ethernet interface, times in µs. */
const blockTypes = { sectionHeader: 0x0a0d_0d0a, interfaceDescription: 1, enhancedPacket: 6 } as const;
const byteOrderMagic = 0x1a2b_3c4d;
const linkTypeEthernet = 1;
/** As a negative power of ten. */
const microseconds = 6;
const snapBytes = 262_144;
const options = { end: 0, userApplication: 4, interfaceName: 2, timeResolution: 9, packetFlags: 2 } as const;

/** EPB flags, bits 0 and 1; the interface is QEMU's NIC, so what the guest sends is outbound. */
const directions = { server: 1, guest: 2 } as const;

const enhancedPacketFixedBytes = 32;
/** The flags option and the end of options. */
const enhancedPacketOptionsBytes = 12;

const padded = (bytes: number) => (bytes + 3) & ~3;

function option(code: number, value: Buffer): Buffer {
  const data = Buffer.alloc(4 + padded(value.length));
  data.writeUInt16LE(code, 0);
  data.writeUInt16LE(value.length, 2);
  value.copy(data, 4);
  return data;
}

function block(type: number, body: Buffer): Buffer {
  const data = Buffer.alloc(12 + body.length);
  data.writeUInt32LE(type, 0);
  data.writeUInt32LE(data.length, 4);
  body.copy(data, 8);
  data.writeUInt32LE(data.length, data.length - 4);
  return data;
}

/** Section header and interface description, which every file starts with. */
export function pcapngHeader(application: string): Buffer {
  const endOfOptions = option(options.end, Buffer.alloc(0));
  const section = Buffer.alloc(16);
  section.writeUInt32LE(byteOrderMagic, 0);
  section.writeUInt16LE(1, 4);
  section.writeBigInt64LE(-1n, 8);
  const face = Buffer.alloc(8);
  face.writeUInt16LE(linkTypeEthernet, 0);
  face.writeUInt32LE(snapBytes, 4);
  return Buffer.concat([
    block(
      blockTypes.sectionHeader,
      Buffer.concat([section, option(options.userApplication, Buffer.from(application)), endOfOptions]),
    ),
    block(
      blockTypes.interfaceDescription,
      Buffer.concat([
        face,
        option(options.interfaceName, Buffer.from('nic')),
        option(options.timeResolution, Buffer.from([microseconds])),
        endOfOptions,
      ]),
    ),
  ]);
}

/** Bytes a frame of this length occupies in the file. */
export function enhancedPacketBytes(frameBytes: number): number {
  return enhancedPacketFixedBytes + padded(frameBytes) + enhancedPacketOptionsBytes;
}

export interface CapturedFrame {
  readonly from: 'guest' | 'server';
  readonly frame: Buffer;
  /** Since 1970; may have a fraction. */
  readonly epochMs: number;
}

/** Writes one frame at `at` and returns where its block ends. */
export function writeEnhancedPacket(data: Buffer, at: number, { from, frame, epochMs }: CapturedFrame): number {
  const blockBytes = enhancedPacketBytes(frame.length);
  const epochUs = Math.round(epochMs * 1000);
  data.writeUInt32LE(blockTypes.enhancedPacket, at);
  data.writeUInt32LE(blockBytes, at + 4);
  data.writeUInt32LE(0, at + 8);
  data.writeUInt32LE(Math.floor(epochUs / 0x1_0000_0000), at + 12);
  data.writeUInt32LE(epochUs % 0x1_0000_0000, at + 16);
  data.writeUInt32LE(frame.length, at + 20);
  data.writeUInt32LE(frame.length, at + 24);
  const frameAt = at + 28;
  data.set(frame, frameAt);
  const optionsAt = frameAt + padded(frame.length);
  for (let padAt = frameAt + frame.length; padAt < optionsAt; padAt++) data[padAt] = 0;
  data.writeUInt16LE(options.packetFlags, optionsAt);
  data.writeUInt16LE(4, optionsAt + 2);
  data.writeUInt32LE(directions[from], optionsAt + 4);
  data.writeUInt32LE(0, optionsAt + 8);
  return data.writeUInt32LE(blockBytes, at + blockBytes - 4);
}
